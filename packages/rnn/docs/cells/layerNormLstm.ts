import { split, type Value } from "@unroll/autograd";
import type { Cell } from "@unroll/rnn";

type Names = "weight_ih" | "weight_hh" | "bias" | "scale_ih" | "scale_hh" | "scale_c" | "shift_c";

/** Sums and cell state normalised over the units: J. Ba, J. Kiros and G. Hinton, "Layer normalization" (2016). Blocks i, f, g, o. */
export const layerNormLstm: Cell<Record<Names, Value>, readonly [h: Value, c: Value]> = (p, [h, c], x) => {
  const fromInput = normalised(x.matmul(p.weight_ih.transpose())).mul(p.scale_ih);
  const fromState = normalised(h.matmul(p.weight_hh.transpose())).mul(p.scale_hh);
  const [i, f, g, o] = split(fromInput.add(fromState).add(p.bias), 4, { axis: 1 }) as [Value, Value, Value, Value];
  const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
  const hidden = o.sigmoid().mul(normalised(cell).mul(p.scale_c).add(p.shift_c).tanh());
  return [[hidden, cell], hidden];
};

function normalised(x: Value): Value {
  const over = { axis: -1, keepDims: true };
  return x.sub(x.mean(over)).div(x.variance(over).add(1e-5).sqrt());
}
