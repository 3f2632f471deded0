import { checkPairs } from "./pairs.js";
import type { ToyGradient, ToyParameters, ToyTree } from "./parameters.js";

/** The logistic function 1 / (1 + exp(-z)) of a plain number. */
export function logistic(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** The hidden states y_0 = s, y_1, …, y_T: one more than there are inputs. */
export function hiddenStates({ v, w, s }: ToyParameters, inputs: ArrayLike<number>): Float64Array {
  const states = new Float64Array(inputs.length + 1);
  states[0] = s;
  for (let t = 1; t <= inputs.length; t++) {
    states[t] = logistic(w * states[t - 1]! + v * inputs[t - 1]!);
  }
  return states;
}

/** E = sum_t (t_t - u y_t)^2 for the hidden states that `hiddenStates` gives. */
export function squaredError(u: number, states: Float64Array, targets: ArrayLike<number>): number {
  let sum = 0;
  for (let t = 1; t < states.length; t++) sum += (targets[t - 1]! - u * states[t]!) ** 2;
  return sum;
}

/** Everything that back-propagation through time by hand computes on the way. Arrays of length T hold t = 1, …, T. */
export interface HandwrittenRecurrence {
  /** E, the sum of squared errors. */
  readonly loss: number;
  /** The hidden states y_0, …, y_T: length T + 1. */
  readonly states: Float64Array;
  /** e_t = dE/dp_t. */
  readonly errors: Float64Array;
  /** delta_t = dE/dz_t. */
  readonly deltas: Float64Array;
  /** What each time step's use of a parameter adds to its derivative (`s` is used in the first step only). */
  readonly shares: Readonly<ToyTree<Float64Array>>;
  /** The sums of the shares. */
  readonly gradient: ToyGradient;
}

/**
 * The gradient of E by the recurrence written out by hand, in plain numbers:
 *
 *     e_t     = 2 (p_t - t_t)
 *     delta_t = y_t (1 - y_t) (e_t u + w delta_{t+1}),   delta_{T+1} = 0
 *     dE/du = sum_t e_t y_t        dE/dv = sum_t delta_t x_t
 *     dE/dw = sum_t delta_t y_{t-1}     dE/ds = w delta_1
 *
 * It is what the tape is compared with, and the only gradient of the network that anyone had to derive.
 * Source: A. Graves, "Supervised Sequence Labelling with Recurrent Neural Networks", chapter 3.2.
 *
 * @throws InputError for no inputs, a wrong number of targets, or an input or target that is not finite.
 * @example handwrittenRecurrence({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 }, [0.5, -1, 2], [-1, 2, 0.1]).gradient.w; // -0.0311…
 */
export function handwrittenRecurrence(
  parameters: ToyParameters,
  inputs: ArrayLike<number>,
  targets: ArrayLike<number>,
): HandwrittenRecurrence {
  checkPairs("handwrittenRecurrence", inputs, targets);
  const { u, w } = parameters;
  const steps = inputs.length;
  const states = hiddenStates(parameters, inputs);
  const errors = new Float64Array(steps);
  const deltas = new Float64Array(steps);
  const shares = {
    u: new Float64Array(steps),
    v: new Float64Array(steps),
    w: new Float64Array(steps),
    s: new Float64Array(steps),
  };
  let deltaAfter = 0;
  for (let t = steps; t >= 1; t--) {
    const y = states[t]!;
    const error = 2 * (u * y - targets[t - 1]!);
    const delta = y * (1 - y) * (error * u + w * deltaAfter);
    errors[t - 1] = error;
    deltas[t - 1] = delta;
    shares.u[t - 1] = error * y;
    shares.v[t - 1] = delta * inputs[t - 1]!;
    shares.w[t - 1] = delta * states[t - 1]!;
    deltaAfter = delta;
  }
  shares.s[0] = w * deltaAfter;
  const gradient = { u: sum(shares.u), v: sum(shares.v), w: sum(shares.w), s: sum(shares.s) };
  return { loss: squaredError(u, states, targets), states, errors, deltas, shares, gradient };
}

function sum(terms: Float64Array): number {
  let total = 0;
  for (const term of terms) total += term;
  return total;
}
