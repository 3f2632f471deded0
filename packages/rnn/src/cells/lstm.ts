/** Long short-term memory. */
import { type Param, param, type Value, zeros } from "@unroll/autograd";
import { type Key, splitKey, uniform } from "@unroll/autograd/random";
import { affine, blocks, type Cell, type CellParams, cellOf, type Recurrence } from "./cell.js";

/** The weights of a cell with a hidden state of P units, projected from H; without `weight_hr`, P = H. */
export interface LstmCellParams<T extends Value = Value> extends CellParams<T> {
  /** [P, H]; left out in a cell without projection. */
  readonly weight_hr?: T | undefined;
}

/** What the cell carries from step to step: the hidden state h, [B, P], and the cell state c, [B, H]. */
export type LstmState = readonly [h: Value, c: Value];

/** Internal: the cell with its weights bound. */
export function lstmRecurrence({ weight_ih, weight_hh, bias_ih, bias_hh, weight_hr }: LstmCellParams): Recurrence<LstmState> {
  const recurrent = weight_hh.transpose();
  const projection = weight_hr?.transpose();
  const bias = bias_hh === undefined ? bias_ih : bias_ih?.add(bias_hh);
  return {
    project: (xs) => affine(xs, weight_ih, bias),
    step([h, c], x) {
      const [i, f, g, o] = blocks(x.add(h.matmul(recurrent)), 4) as [Value, Value, Value, Value];
      const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      const hidden = o.sigmoid().mul(cell.tanh());
      const output = projection === undefined ? hidden : hidden.matmul(projection);
      return [[output, cell], output];
    },
  };
}

/**
 * One step of a long short-term memory, for inputs x [B, I] and a state of h [B, P] and c [B, H]; weights in the blocks i, f, g, o (input,
 * forget, cell, output), G = 4. The output is h':
 *
 *     i, f, g, o = x W_ihᵀ + b_ih + h W_hhᵀ + b_hh
 *     c' = sigmoid(f) c + sigmoid(i) tanh(g)
 *     h' = sigmoid(o) tanh(c'), or (sigmoid(o) tanh(c')) W_hrᵀ with a projection
 *
 * Source: F. Gers, J. Schmidhuber and F. Cummins, "Learning to forget: continual prediction with LSTM", Neural Computation 12 (2000);
 * the projection: H. Sak, A. Senior and F. Beaufays, arXiv 1402.1128 (2014). Names and layouts are those of torch.nn.LSTM.
 * Throws ShapeError where weights, state and inputs do not fit.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const params = { weight_ih: value([[0], [0], [0], [0]]), weight_hh: value([[0], [0], [0], [0]]) };
 * const [[, c]] = lstmCell(params, [value([[1]]), value([[3]])], value([[5]])); // all gates half open, nothing to write
 * console.log(c.toArray()); // [ [ 1.5 ] ]
 */
export const lstmCell: Cell<LstmCellParams, LstmState> = cellOf(lstmRecurrence);

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
  return [zeros([batch, hidden], { dtype: weights.weight_hh_l0.dtype }), zeros([batch, hidden], { dtype: weights.weight_hh_l0.dtype })];
}

/** One step of `lstmCell` with weights under the names of a layer. */
export function lstmStep(weights: LstmWeights, state: LstmState, x: Value): readonly [carry: LstmState, output: Value] {
  const { weight_ih_l0: weight_ih, weight_hh_l0: weight_hh, bias_ih_l0: bias_ih, bias_hh_l0: bias_hh } = weights;
  return lstmCell({ weight_ih, weight_hh, bias_ih, bias_hh }, state, x);
}
