import { split, type Value } from "@unroll/autograd";
import type { Cell } from "@unroll/rnn";

type Names = "weight_ih" | "weight_hh" | "bias";

/** Writes as much as it forgets: K. Greff et al., "LSTM: a search space odyssey" (2017), CIFG. Blocks f, g, o. */
export const coupledLstm: Cell<Record<Names, Value>, readonly [h: Value, c: Value]> = (p, [h, c], x) => {
  const sums = x.matmul(p.weight_ih.transpose()).add(h.matmul(p.weight_hh.transpose())).add(p.bias);
  const [f, g, o] = split(sums, 3, { axis: 1 }) as [Value, Value, Value];
  const candidate = g.tanh();
  const cell = candidate.add(f.sigmoid().mul(c.sub(candidate)));
  const hidden = o.sigmoid().mul(cell.tanh());
  return [[hidden, cell], hidden];
};
