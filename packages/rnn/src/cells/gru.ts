/** The gated recurrent unit. */
import type { Value } from "@unroll/autograd";
import { affine, blocks, type Cell, type CellParams, cellOf, type Recurrence } from "./cell.js";

/** Internal: the cell with its weights bound. */
export function gruRecurrence({ weight_ih, weight_hh, bias_ih, bias_hh }: CellParams): Recurrence<Value> {
  const recurrent = weight_hh.transpose();
  return {
    project: (xs) => affine(xs, weight_ih, bias_ih),
    step(h, x) {
      // b_hh cannot join b_ih: that of the candidate is reset with its product.
      const product = h.matmul(recurrent);
      const [hr, hz, hn] = blocks(bias_hh === undefined ? product : product.add(bias_hh), 3) as [Value, Value, Value];
      const [xr, xz, xn] = blocks(x, 3) as [Value, Value, Value];
      const candidate = xn.add(xr.add(hr).sigmoid().mul(hn)).tanh();
      const next = candidate.add(xz.add(hz).sigmoid().mul(h.sub(candidate)));
      return [next, next];
    },
  };
}

/**
 * One step of a gated recurrent unit, for inputs x [B, I] and a state h [B, H]; weights in the blocks r, z, n, G = 3. The output is the
 * new state. The reset gate acts after the product, as in PyTorch and cuDNN:
 *
 *     r  = sigmoid(x W_irᵀ + b_ir + h W_hrᵀ + b_hr)
 *     z  = sigmoid(x W_izᵀ + b_iz + h W_hzᵀ + b_hz)
 *     n  = tanh(x W_inᵀ + b_in + r (h W_hnᵀ + b_hn))
 *     h' = (1 - z) n + z h
 *
 * Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014 (version 1 of the preprint); names and
 * layouts are those of torch.nn.GRUCell. Inputs and state may lack the batch. Throws ShapeError where weights, state and inputs do not fit,
 * InputError where one is missing.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const params = { weight_ih: value([[0], [0], [1]]), weight_hh: value([[0], [0], [1]]) };
 * const [h] = gruCell(params, value([[2]]), value([[-1]])); // r = z = 1/2, n = tanh(-1 + 2/2)
 * console.log(h.toArray()); // [ [ 1 ] ]
 */
export const gruCell: Cell<CellParams, Value> = cellOf({ name: "gruCell", gates: 3, states: ["h"] }, gruRecurrence);
