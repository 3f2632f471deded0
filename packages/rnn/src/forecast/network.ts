/** The network that forecasts: an LSTM over a window of rows, and a linear layer on its last output. */
import { type Param, param, scan, type Value } from "@unroll/autograd";
import { type Key, splitKey, uniform } from "@unroll/autograd/random";
import { type LstmState, type LstmWeights, lstmParams, lstmStart, lstmStep } from "../cells/lstm.js";

export interface NetworkWeights<T extends Value = Value> {
  readonly lstm: LstmWeights<T>;
  /** [1, H] */
  readonly weight: T;
  /** [1] */
  readonly bias: T;
}

/** Weights for rows of so many features, drawn as PyTorch draws them. */
export function networkParams(key: Key, features: number, hidden: number): NetworkWeights<Param> {
  const [forCell, forWeight, forBias] = splitKey(key, 3) as [Key, Key, Key];
  const bound = 1 / Math.sqrt(hidden);
  return {
    lstm: lstmParams(forCell, features, hidden),
    weight: param(uniform(forWeight, [1, hidden], { low: -bound, high: bound }).data, { shape: [1, hidden], name: "weight" }),
    bias: param(uniform(forBias, [1], { low: -bound, high: bound }).data, { shape: [1], name: "bias" }),
  };
}

/** All weights, as a list. */
export function weightsOf({ lstm, weight, bias }: NetworkWeights<Param>): Param[] {
  return [lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0, lstm.bias_hh_l0, weight, bias];
}

/**
 * The forecasts for windows of shape [T, B, features]: the normalised value of the row after each, shape [B]. The network gives the change
 * from the last row of the window, to which that row's value (its first feature) is added.
 */
export function forecast(weights: NetworkWeights, windows: Value): Value {
  const [steps, batch] = windows.shape as [number, number, number];
  const step = (state: LstmState, x: Value) => lstmStep(weights.lstm, state, x);
  const [[output]] = scan<LstmState, Value, Value>(step, lstmStart(weights.lstm, batch), windows);
  const change = output.matmul(weights.weight.transpose()).add(weights.bias).reshape([batch]);
  return windows.slice(steps - 1, null, 0).add(change);
}
