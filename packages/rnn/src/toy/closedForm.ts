import { InputError } from "@unroll/autograd";
import type { ToyGradient, ToyParameters } from "./parameters.js";
import { logistic } from "./recurrence.js";

/** The longest sequence for which the gradient is written out. */
export const CLOSED_FORM_STEPS = 3;

/**
 * The gradient of E with the chain rule multiplied out: every product from an error e_t back to a use of a parameter stands there as one
 * term, and nothing is carried from step to step. For at most 3 time steps; the number of terms grows with the square of T.
 *
 * @throws InputError for more than 3 time steps.
 */
export function closedFormGradient(parameters: ToyParameters, inputs: ArrayLike<number>, targets: ArrayLike<number>): ToyGradient {
  if (inputs.length > CLOSED_FORM_STEPS) {
    throw new InputError(
      `closedForm: expected at most ${CLOSED_FORM_STEPS} time steps, got ${inputs.length}; every other method takes any number`,
    );
  }
  const { u, v, w, s } = parameters;
  const x1 = inputs[0]!;
  const y1 = logistic(w * s + v * x1);
  const d1 = y1 * (1 - y1);
  const e1 = 2 * (u * y1 - targets[0]!);
  const one = { u: e1 * y1, v: e1 * u * d1 * x1, w: e1 * u * d1 * s, s: e1 * u * d1 * w };
  if (inputs.length === 1) return one;

  const x2 = inputs[1]!;
  const y2 = logistic(w * y1 + v * x2);
  const d2 = y2 * (1 - y2);
  const e2 = 2 * (u * y2 - targets[1]!);
  const two = {
    u: one.u + e2 * y2,
    v: one.v + e2 * u * d2 * x2 + e2 * u * d2 * w * d1 * x1,
    w: one.w + e2 * u * d2 * y1 + e2 * u * d2 * w * d1 * s,
    s: one.s + e2 * u * d2 * w * d1 * w,
  };
  if (inputs.length === 2) return two;

  const x3 = inputs[2]!;
  const y3 = logistic(w * y2 + v * x3);
  const d3 = y3 * (1 - y3);
  const e3 = 2 * (u * y3 - targets[2]!);
  return {
    u: two.u + e3 * y3,
    v: two.v + e3 * u * d3 * x3 + e3 * u * d3 * w * d2 * x2 + e3 * u * d3 * w * d2 * w * d1 * x1,
    w: two.w + e3 * u * d3 * y2 + e3 * u * d3 * w * d2 * y1 + e3 * u * d3 * w * d2 * w * d1 * s,
    s: two.s + e3 * u * d3 * w * d2 * w * d1 * w,
  };
}
