/** A long short-term memory cell, in operations on arrays. Its gradient is the engine's. */
import { type Param, param, split, type Value, zeros } from "@unroll/autograd";
import { type Key, splitKey, uniform } from "@unroll/autograd/random";

/**
 * The weights of a cell with I inputs and H hidden units. Names, shapes and the order of the gates along the first axis (input, forget,
 * cell, output) are PyTorch's, so that weights move both ways.
 */
export interface LstmWeights<T extends Value = Value> {
  /** [4 H, I] */
  readonly weight_ih_l0: T;
  /** [4 H, H] */
  readonly weight_hh_l0: T;
  /** [4 H] */
  readonly bias_ih_l0: T;
  /** [4 H] */
  readonly bias_hh_l0: T;
}

/** What a cell carries from step to step: the hidden state h and the cell state c, both [B, H]. */
export type LstmState = readonly [h: Value, c: Value];

/** Weights drawn uniformly from -1/sqrt(H) to 1/sqrt(H), as PyTorch draws them. */
export function lstmParams(key: Key, inputs: number, hidden: number): LstmWeights<Param> {
  const bound = 1 / Math.sqrt(hidden);
  const [ih, hh, bih, bhh] = splitKey(key, 4) as [Key, Key, Key, Key];
  const draw = (from: Key, shape: number[], name: string) =>
    param(uniform(from, shape, { low: -bound, high: bound }).data, { shape, name });
  return {
    weight_ih_l0: draw(ih, [4 * hidden, inputs], "weight_ih_l0"),
    weight_hh_l0: draw(hh, [4 * hidden, hidden], "weight_hh_l0"),
    bias_ih_l0: draw(bih, [4 * hidden], "bias_ih_l0"),
    bias_hh_l0: draw(bhh, [4 * hidden], "bias_hh_l0"),
  };
}

/** The state before the first step: zeros. */
export function lstmStart(weights: LstmWeights, batch: number): LstmState {
  const hidden = weights.weight_hh_l0.shape[1]!;
  return [zeros([batch, hidden]), zeros([batch, hidden])];
}

/**
 * One step, for inputs x of shape [B, I]:
 *
 *     i, f, g, o = x W_ih^T + b_ih + h W_hh^T + b_hh, in four blocks
 *     c' = sigmoid(f) c + sigmoid(i) tanh(g)
 *     h' = sigmoid(o) tanh(c')
 *
 * Its output is h', of shape [B, H].
 *
 * Source: F. Gers, J. Schmidhuber and F. Cummins, "Learning to forget: continual prediction with LSTM", Neural Computation 12 (2000).
 */
export function lstmStep(weights: LstmWeights, [h, c]: LstmState, x: Value): [carry: LstmState, output: Value] {
  const fromInput = x.matmul(weights.weight_ih_l0.transpose()).add(weights.bias_ih_l0);
  const fromState = h.matmul(weights.weight_hh_l0.transpose()).add(weights.bias_hh_l0);
  const [i, f, g, o] = split(fromInput.add(fromState), 4, { axis: 1 }) as [Value, Value, Value, Value];
  const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
  const output = o.sigmoid().mul(cell.tanh());
  return [[output, cell], output];
}
