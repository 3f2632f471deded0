/** How far back a trained network looks: where its gradient comes from, and what its forecasts depend on. */
import { grad, mseLoss, type Value } from "@unroll/autograd";
import { contributions } from "@unroll/autograd/inspect";
import type { Batch } from "../data/windows.js";
import { forecast, forecastByStep, type NetworkWeights } from "./network.js";

/**
 * Each step's share in the gradient of the loss of one window, with respect to the weights of the LSTM. All steps use the same weights, so
 * that the gradient is a sum with one contribution a step; the share of a step is the length (Euclidean norm, over all four arrays of
 * weights together) of its contribution, divided by the sum of those lengths.
 *
 * @param window a batch of one.
 * @returns a share for each step of the window, in order of time; they add up to 1 (or are all 0 where the gradient is).
 */
export function gradientShares(weights: NetworkWeights, window: Batch): Float64Array {
  const steps = window.inputs.shape[0]!;
  const loss = mseLoss(forecastByStep(weights, window.inputs), window.targets);
  const squares = new Float64Array(steps);
  for (const leaf of Object.values(weights.lstm)) {
    for (const { label, value } of contributions(loss, leaf, { by: "scope" })) squares[stepIn(label) - 1]! += value.square().sum().item();
  }
  const lengths = squares.map(Math.sqrt);
  const total = sum(lengths);
  return total === 0 ? lengths : lengths.map((length) => length / total);
}

/** The number t of the scope `step t`, in which `scan` puts step t; the first is 1. */
function stepIn(label: string): number {
  return Number(label.slice(label.lastIndexOf(" ") + 1));
}

/**
 * For each step of a batch of windows the mean, over the windows, of |d forecast / d value of that row|. Values and forecasts are on one
 * scale, so this is also how many units the forecast moves for a value that is one unit higher.
 */
export function sensitivities(weights: NetworkWeights, { inputs }: Batch): Float64Array {
  const [steps, batch, width] = inputs.shape as [number, number, number];
  const slopes = grad((windows: Value) => forecast(weights, windows).sum())(inputs).data;
  return Float64Array.from({ length: steps }, (_, t) => {
    let total = 0;
    for (let b = 0; b < batch; b++) total += Math.abs(Number(slopes[(t * batch + b) * width]));
    return total / batch;
  });
}

function sum(numbers: Float64Array): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
