import type { Value } from "@unroll/autograd";
import { gruRecurrence } from "../cells/gru.js";
import { recurrentLayer, type RecurrentLayer, type RecurrentOptions } from "./recurrent.js";

/**
 * Layers of gated recurrent units, as torch.nn.GRU: weights in the blocks r, z, n, the reset gate after the product. The state is h,
 * [layers · directions, B, H]. Throws InputError for sizes that are not whole numbers from 1, and for a dropout that is no probability or
 * has no layers to act between.
 *
 * @example
 * import { ones } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const layer = gru({ inputSize: 2, hiddenSize: 4, numLayers: 2, bidirectional: true });
 * const { outputs, state } = layer.apply(layer.init(key(0)), ones([5, 3, 2]), undefined, { lengths: [5, 1, 2] });
 * console.log(outputs.shape, state.shape); // [ 5, 3, 8 ] [ 4, 3, 4 ]
 */
export function gru(options: RecurrentOptions): RecurrentLayer<Value> {
  const width = options.hiddenSize;
  return recurrentLayer<Value>(
    {
      name: "gru",
      gates: 3,
      states: [{ name: "h", width }],
      width,
      projected: false,
      bind: gruRecurrence,
      parts: (h) => [h],
      fromParts: ([h]) => h!,
    },
    options,
  );
}
