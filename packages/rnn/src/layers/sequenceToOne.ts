import { InputError, type Param, type Value } from "@unroll/autograd";
import { type Key, splitKey } from "@unroll/autograd/random";
import type { Linear } from "./linear.js";
import type { LayerParams } from "./parameters.js";
import type { ApplyOptions, RecurrentLayer } from "./recurrent.js";

export interface SequenceToOneParams<T extends Value = Value> {
  readonly recurrent: LayerParams<T>;
  readonly readout: LayerParams<T>;
}

/** A network that gives one vector a sequence. */
export interface SequenceToOne<S> {
  init(key: Key): SequenceToOneParams<Param>;
  /** Sequences [T, B, I] to [B, O], each read at its own end. Throws as the layers do. */
  apply(params: SequenceToOneParams, xs: Value, state?: S, options?: ApplyOptions): Value;
}

/**
 * A recurrent layer and a readout of its outputs at each sequence's end: a forecast, or the logits of a class. Throws InputError where the
 * readout takes another number of features than the layer gives.
 *
 * @example
 * import { ones } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const network = sequenceToOne(
 *   lstm({ inputSize: 2, hiddenSize: 8, bidirectional: true }),
 *   linear({ inputSize: 16, outputSize: 3 }),
 * );
 * console.log(network.apply(network.init(key(0)), ones([5, 4, 2]), undefined, { lengths: [5, 3, 1, 2] }).shape); // [ 4, 3 ]
 */
export function sequenceToOne<S>(layer: RecurrentLayer<S>, readout: Linear): SequenceToOne<S> {
  checkReadout("sequenceToOne", layer.outputSize, readout);
  return {
    init(key) {
      const [forLayer, forReadout] = splitKey(key) as [Key, Key];
      return { recurrent: layer.init(forLayer), readout: readout.init(forReadout) };
    },
    apply(params, xs, state, options) {
      const found = layer.apply(params.recurrent, xs, state, options);
      return readout.apply(params.readout, layer.lastOutputs(found.state));
    },
  };
}

/** Throws InputError unless a readout takes so many features. */
export function checkReadout(op: string, size: number, readout: Linear): void {
  if (readout.inputSize === size) return;
  throw new InputError(`${op}: the readout takes ${readout.inputSize} features, but is given ${size}; make it with inputSize: ${size}`);
}
