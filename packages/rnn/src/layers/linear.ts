import { type Param, param, type Value } from "@unroll/autograd";
import { type Key, splitKey } from "@unroll/autograd/random";
import { affine } from "../cells/cell.js";
import { type DrawOptions, type Initializer, uniformInit } from "../init/initializers.js";
import { checkFeatures, checkParams, checkSize, type LayerParams, type ParameterShapes } from "./parameters.js";

export interface LinearOptions {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Default true. */
  readonly bias?: boolean | undefined;
}

export interface LinearInitOptions extends DrawOptions {
  /** For the weight [O, I]. */
  readonly weight?: Initializer | undefined;
  /** For the bias [O]. */
  readonly bias?: Initializer | undefined;
}

/** An affine map of the last axis, such as the readout of a recurrent network. */
export interface Linear {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly parameterShapes: ParameterShapes;
  /** Params, drawn as PyTorch draws them, uniformly from ±1/sqrt(I), unless the options say otherwise. */
  init(key: Key, options?: LinearInitOptions): LayerParams<Param>;
  /** x Wᵀ + b: [..., I] to [..., O]. Throws InputError or ShapeError for params or inputs that do not fit. */
  apply(params: LayerParams, x: Value): Value;
}

/**
 * A linear layer with `weight` [O, I] and `bias` [O], as torch.nn.Linear. Throws InputError for sizes that are not whole numbers from 1.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const readout = linear({ inputSize: 2, outputSize: 1 });
 * const params = { weight: value([[1, 10]]), bias: value([5]) };
 * console.log(readout.apply(params, value([[[1, 2]], [[3, 4]]])).toArray()); // [ [ [ 26 ] ], [ [ 48 ] ] ]
 */
export function linear({ inputSize, outputSize, bias = true }: LinearOptions): Linear {
  checkSize("linear", "inputSize", inputSize);
  checkSize("linear", "outputSize", outputSize);
  const parameterShapes: ParameterShapes = { weight: [outputSize, inputSize], ...(bias ? { bias: [outputSize] } : {}) };
  return {
    inputSize,
    outputSize,
    parameterShapes,
    init(key, { weight, bias, dtype } = {}) {
      const bound = 1 / Math.sqrt(inputSize);
      const standard = uniformInit({ low: -bound, high: bound });
      const keys = splitKey(key, 2);
      const entries = Object.entries(parameterShapes).map(([name, shape], k) => {
        const draw = (name === "weight" ? weight : bias) ?? standard;
        return [name, param(draw(keys[k]!, shape, { dtype }).data, { shape, name })] as const;
      });
      return Object.fromEntries(entries);
    },
    apply(params, x) {
      checkParams("linear", params, parameterShapes);
      checkFeatures("linear", x, inputSize);
      return affine(x, params["weight"]!, params["bias"]);
    },
  };
}
