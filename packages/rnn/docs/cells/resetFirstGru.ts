import { split, type Value } from "@unroll/autograd";
import type { Cell } from "@unroll/rnn";

type Names = "weight_ih" | "weight_hh" | "weight_hn" | "bias";

/** Resets the state before the product: K. Cho et al. (2014), as published. Blocks r, z, n of weight_ih; r, z of weight_hh. */
export const resetFirstGru: Cell<Record<Names, Value>, Value> = (p, h, x) => {
  const [xr, xz, xn] = split(x.matmul(p.weight_ih.transpose()).add(p.bias), 3, { axis: 1 }) as [Value, Value, Value];
  const [hr, hz] = split(h.matmul(p.weight_hh.transpose()), 2, { axis: 1 }) as [Value, Value];
  const reset = xr.add(hr).sigmoid();
  const candidate = xn.add(reset.mul(h).matmul(p.weight_hn.transpose())).tanh();
  const next = candidate.add(xz.add(hz).sigmoid().mul(h.sub(candidate)));
  return [next, next];
};
