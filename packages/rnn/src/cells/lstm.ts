/** Long short-term memory. */
import type { Value } from "@unroll/autograd";
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
 * Inputs and state may lack the batch. Throws ShapeError where weights, state and inputs do not fit, InputError where one is missing.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const params = { weight_ih: value([[0], [0], [0], [0]]), weight_hh: value([[0], [0], [0], [0]]) };
 * const [[, c]] = lstmCell(params, [value([[1]]), value([[3]])], value([[5]])); // all gates half open, nothing to write
 * console.log(c.toArray()); // [ [ 1.5 ] ]
 */
export const lstmCell: Cell<LstmCellParams, LstmState> = cellOf({ name: "lstmCell", gates: 4, states: ["h", "c"] }, lstmRecurrence);
