/** The network that forecasts: an LSTM over a window of rows, and a linear layer on its last output. */
import { type Param, type Value, zeros } from "@unroll/autograd";
import { type Key, splitKey } from "@unroll/autograd/random";
import { lstmCell } from "../cells/lstm.js";
import { unroll } from "../cells/unroll.js";
import { linear } from "../layers/linear.js";
import { lstm } from "../layers/lstm.js";
import { cellParams, type LayerParams } from "../layers/parameters.js";

export interface NetworkWeights<T extends Value = Value> {
  readonly lstm: LayerParams<T>;
  readonly readout: LayerParams<T>;
}

const layerOf = (features: number, hidden: number) => lstm({ inputSize: features, hiddenSize: hidden });
const readoutOf = (hidden: number) => linear({ inputSize: hidden, outputSize: 1 });

/** Weights for rows of so many features, drawn as PyTorch draws them. */
export function networkParams(key: Key, features: number, hidden: number): NetworkWeights<Param> {
  const [forLayer, forReadout] = splitKey(key) as [Key, Key];
  return { lstm: layerOf(features, hidden).init(forLayer), readout: readoutOf(hidden).init(forReadout) };
}

/** All weights, as a list. */
export function weightsOf<T extends Value>({ lstm, readout }: NetworkWeights<T>): T[] {
  return [...Object.values(lstm), ...Object.values(readout)];
}

/**
 * The forecasts for windows of shape [T, B, features]: the normalised value of the row after each, shape [B]. The network gives the change
 * from the last row of the window, to which that row's value (its first feature) is added.
 */
export function forecast(weights: NetworkWeights, windows: Value): Value {
  const [hidden] = layerOf(windows.shape[2]!, hiddenOf(weights)).apply(weights.lstm, windows).state;
  return changed(weights, windows, hidden.slice(0));
}

/** The same, one step at a time: the graph holds a use of the LSTM's weights for each step, and not one for all. */
export function forecastByStep(weights: NetworkWeights, windows: Value): Value {
  const start = zeros([windows.shape[1]!, hiddenOf(weights)]);
  const [[hidden]] = unroll(lstmCell, cellParams(weights.lstm), [start, start], windows);
  return changed(weights, windows, hidden);
}

function changed(weights: NetworkWeights, windows: Value, hidden: Value): Value {
  const [steps, batch] = windows.shape as [number, number, number];
  const change = readoutOf(hiddenOf(weights)).apply(weights.readout, hidden).reshape([batch]);
  return windows.slice(steps - 1, null, 0).add(change);
}

const hiddenOf = ({ lstm }: NetworkWeights): number => cellParams(lstm).weight_hh.shape[1]!;
