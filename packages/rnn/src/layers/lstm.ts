import { concat, InputError, type Value } from "@unroll/autograd";
import { type LstmState, lstmRecurrence } from "../cells/lstm.js";
import { checkSize } from "./parameters.js";
import { type InitOptions, recurrentLayer, type RecurrentLayer, type RecurrentOptions } from "./recurrent.js";

export type LstmOptions = RecurrentOptions & {
  /** Units P, fewer than H, that the hidden state is projected to; default: no projection. */
  readonly projSize?: number | undefined;
};

export interface LstmInitOptions extends InitOptions {
  /**
   * Bias of the forget gate, the sum of its two; 1 or 2 lets a new network remember (R. Jozefowicz, W. Zaremba and I. Sutskever, ICML
   * 2015). Default: as the other biases.
   */
  readonly forgetBias?: number | undefined;
}

/**
 * Layers of long short-term memory, as torch.nn.LSTM: weights in the blocks i, f, g, o. The state is `[h, c]`, of shapes
 * [layers · directions, B, P] and [layers · directions, B, H]; P = H without a projection. Throws InputError for sizes that are not whole
 * numbers from 1, a projection that is not smaller than H, and a dropout that is no probability or has no layers to act between.
 *
 * @example
 * import { ones } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const layer = lstm({ inputSize: 2, hiddenSize: 4 });
 * const params = layer.init(key(0), { forgetBias: 1 });
 * const { outputs, state: [h, c] } = layer.apply(params, ones([5, 3, 2]));
 * console.log(outputs.shape, h.shape, c.shape); // [ 5, 3, 4 ] [ 1, 3, 4 ] [ 1, 3, 4 ]
 * outputs.square().sum().backward();
 * console.log(Object.keys(params)); // [ 'weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0' ]
 */
export function lstm({ projSize, ...options }: LstmOptions): RecurrentLayer<LstmState, LstmInitOptions> {
  const { hiddenSize, bias = true } = options;
  if (projSize !== undefined) checkSize("lstm", "projSize", projSize);
  if (projSize !== undefined && projSize >= hiddenSize)
    throw new InputError(`lstm: projSize is ${projSize}; a projection has fewer units than the hidden state's ${hiddenSize}`);
  const width = projSize ?? hiddenSize;
  return recurrentLayer<LstmState, LstmInitOptions>(
    {
      name: "lstm",
      gates: 4,
      states: [
        { name: "h", width },
        { name: "c", width: hiddenSize },
      ],
      width,
      projected: projSize !== undefined,
      bind: lstmRecurrence,
      parts: (state) => state,
      fromParts: ([h, c]) => [h!, c!],
    },
    options,
    (params, { forgetBias }) => (forgetBias === undefined ? params : withForgetBias(params, forgetBias, hiddenSize, bias)),
  );
}

/** The block f of bias_ih set to the number, and that of bias_hh to zero. */
function withForgetBias(params: Record<string, Value>, forgetBias: number, hidden: number, bias: boolean): Record<string, Value> {
  if (!bias) throw new InputError("lstm: forgetBias is given for a layer without biases; leave out `bias: false`");
  return Object.fromEntries(
    Object.entries(params).map(([name, x]) => {
      if (!name.startsWith("bias_")) return [name, x];
      const number = name.startsWith("bias_ih") ? forgetBias : 0;
      const block = x
        .slice([hidden, 2 * hidden])
        .mul(0)
        .add(number);
      return [name, concat([x.slice([0, hidden]), block, x.slice([2 * hidden])])];
    }),
  );
}
