import { split, type Value } from "@unroll/autograd";
import type { Cell } from "@unroll/rnn";

type Names = "weight_ih" | "weight_hh" | "bias" | "peephole_i" | "peephole_f" | "peephole_o";

/** Gates that see the cell state: F. Gers and J. Schmidhuber, "Recurrent nets that time and count" (2000). Blocks i, f, g, o. */
export const peepholeLstm: Cell<Record<Names, Value>, readonly [h: Value, c: Value]> = (p, [h, c], x) => {
  const sums = x.matmul(p.weight_ih.transpose()).add(h.matmul(p.weight_hh.transpose())).add(p.bias);
  const [i, f, g, o] = split(sums, 4, { axis: 1 }) as [Value, Value, Value, Value];
  const write = i.add(c.mul(p.peephole_i)).sigmoid();
  const keep = f.add(c.mul(p.peephole_f)).sigmoid();
  const cell = keep.mul(c).add(write.mul(g.tanh()));
  const hidden = o.add(cell.mul(p.peephole_o)).sigmoid().mul(cell.tanh());
  return [[hidden, cell], hidden];
};
