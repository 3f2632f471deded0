import type { Reference } from "../workload.js";
import { uniformArray } from "../uniform.js";

/**
 * The one-unit network: y_0 = s, y_t = sigmoid(w y_{t-1} + v x_t), p_t = u y_t, E = sum_t (p_t - t_t)^2, where the target is the next input.
 * Results are in the order E, dE/du, dE/dv, dE/dw, dE/ds.
 */
export interface ToyProblem {
  readonly u: number;
  readonly v: number;
  readonly w: number;
  readonly s: number;
  readonly inputs: Float64Array;
  readonly targets: Float64Array;
}

/** w y, v x, their sum, sigmoid, u y, minus the target, square, added to E. */
export const OPERATIONS_PER_STEP = 8;

export function toyProblem(steps: number): ToyProblem {
  const sequence = uniformArray(steps + 1, 1);
  return { u: 0.7, v: -0.4, w: 1.3, s: 0.25, inputs: sequence.subarray(0, steps), targets: sequence.subarray(1) };
}

/** The handwritten recurrence, slow and plain, with the sums of absolute terms. */
export function toyReference({ u, v, w, s, inputs, targets }: ToyProblem): Reference {
  const states = [s];
  let loss = 0;
  for (let t = 0; t < inputs.length; t++) {
    const y = 1 / (1 + Math.exp(-(w * states[t]! + v * inputs[t]!)));
    states.push(y);
    loss += (u * y - targets[t]!) ** 2;
  }
  const gradient = { u: 0, v: 0, w: 0 };
  const scale = { u: 0, v: 0, w: 0 };
  let delta = 0;
  let deltaScale = 0;
  for (let t = inputs.length; t >= 1; t--) {
    const y = states[t]!;
    const e = 2 * (u * y - targets[t - 1]!);
    const slope = y * (1 - y);
    deltaScale = slope * (Math.abs(e * u) + Math.abs(w) * deltaScale);
    delta = slope * (e * u + w * delta);
    gradient.u += e * y;
    gradient.v += delta * inputs[t - 1]!;
    gradient.w += delta * states[t - 1]!;
    scale.u += Math.abs(e * y);
    scale.v += deltaScale * Math.abs(inputs[t - 1]!);
    scale.w += deltaScale * Math.abs(states[t - 1]!);
  }
  return {
    values: [loss, gradient.u, gradient.v, gradient.w, w * delta],
    scales: [loss, scale.u, scale.v, scale.w, Math.abs(w) * deltaScale],
  };
}
