/** Elman's simple recurrent cell. */
import type { Value } from "@unroll/autograd";
import { affine, type Cell, type CellParams, cellOf, type Recurrence } from "./cell.js";

export type Nonlinearity = "tanh" | "relu";

/** Internal: the cell with its weights bound. */
export function elmanRecurrence(params: CellParams, nonlinearity: Nonlinearity): Recurrence<Value> {
  const { weight_ih, weight_hh, bias_ih, bias_hh } = params;
  const recurrent = weight_hh.transpose();
  const bias = bias_hh === undefined ? bias_ih : bias_ih?.add(bias_hh);
  return {
    project: (xs) => affine(xs, weight_ih, bias),
    step(h, x) {
      const sum = x.add(h.matmul(recurrent));
      const next = nonlinearity === "tanh" ? sum.tanh() : sum.relu();
      return [next, next];
    },
  };
}

/**
 * One step of Elman's network with tanh, for inputs x [B, I] and a state h [B, H]; the output is the new state:
 *
 *     h' = tanh(x W_ihᵀ + b_ih + h W_hhᵀ + b_hh)
 *
 * Source: J. Elman, "Finding structure in time", Cognitive Science 14 (1990); names and layouts are those of torch.nn.RNNCell.
 * Inputs and state may lack the batch. Throws ShapeError where weights, state and inputs do not fit, InputError where one is missing.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const params = { weight_ih: value([[1]]), weight_hh: value([[0.5]]) };
 * const [h] = elmanTanhCell(params, value([[2]]), value([[-1]]));
 * console.log(h.toArray()); // [ [ 0 ] ]
 */
export const elmanTanhCell: Cell<CellParams, Value> = cellOf({ name: "elmanTanhCell", gates: 1, states: ["h"] }, (params) =>
  elmanRecurrence(params, "tanh"),
);

/**
 * The same with max(0, ·) in the place of tanh.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const params = { weight_ih: value([[1]]), weight_hh: value([[0.5]]) };
 * const [h] = elmanReluCell(params, value([[2]]), value([[3]]));
 * console.log(h.toArray()); // [ [ 4 ] ]
 */
export const elmanReluCell: Cell<CellParams, Value> = cellOf({ name: "elmanReluCell", gates: 1, states: ["h"] }, (params) =>
  elmanRecurrence(params, "relu"),
);
