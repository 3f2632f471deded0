import { split, type Value } from "@unroll/autograd";
import type { Cell } from "@unroll/rnn";

type Names = "weight_ih" | "weight_hf" | "weight_hn" | "bias";

/** One gate: G. Zhou et al., "Minimal gated unit for recurrent neural networks" (2016). Blocks f, n of weight_ih and bias. */
export const minimalGatedUnit: Cell<Record<Names, Value>, Value> = (p, h, x) => {
  const [xf, xn] = split(x.matmul(p.weight_ih.transpose()).add(p.bias), 2, { axis: 1 }) as [Value, Value];
  const gate = xf.add(h.matmul(p.weight_hf.transpose())).sigmoid();
  const candidate = xn.add(gate.mul(h).matmul(p.weight_hn.transpose())).tanh();
  const next = h.add(gate.mul(candidate.sub(h)));
  return [next, next];
};
