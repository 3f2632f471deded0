import { InputError, type Value } from "@unroll/autograd";
import { elmanRecurrence, type Nonlinearity } from "../cells/elman.js";
import { recurrentLayer, type RecurrentLayer, type RecurrentOptions } from "./recurrent.js";

export type RnnOptions = RecurrentOptions & {
  /** "tanh" (default) or "relu". */
  readonly nonlinearity?: Nonlinearity | undefined;
};

/**
 * Layers of Elman's cell, as torch.nn.RNN. The state is h, [layers · directions, B, H]. Throws InputError for sizes that are not whole
 * numbers from 1, another nonlinearity, and for a dropout that is no probability or has no layers to act between.
 *
 * @example
 * import { ones } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const layer = rnn({ inputSize: 2, hiddenSize: 4, nonlinearity: "relu" });
 * const { outputs, state } = layer.apply(layer.init(key(0)), ones([5, 3, 2]));
 * console.log(outputs.shape, state.shape); // [ 5, 3, 4 ] [ 1, 3, 4 ]
 */
export function rnn({ nonlinearity = "tanh", ...options }: RnnOptions): RecurrentLayer<Value> {
  if (nonlinearity !== "tanh" && nonlinearity !== "relu")
    throw new InputError(`rnn: nonlinearity is "tanh" or "relu", got ${JSON.stringify(nonlinearity)}; write another as a cell of your own`);
  const width = options.hiddenSize;
  return recurrentLayer<Value>(
    {
      name: "rnn",
      gates: 1,
      states: [{ name: "h", width }],
      width,
      projected: false,
      bind: (params) => elmanRecurrence(params, nonlinearity),
      parts: (h) => [h],
      fromParts: ([h]) => h!,
    },
    options,
  );
}
