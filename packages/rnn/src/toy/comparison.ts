import { InputError } from "@unroll/autograd";
import { forwardModeGradient, tapeGradient } from "./automatic.js";
import { CLOSED_FORM_STEPS, closedFormGradient } from "./closedForm.js";
import { complexStepGradient } from "./complexStep.js";
import { finiteDifferenceGradient } from "./finiteDifferences.js";
import { checkPairs, checkParameters } from "./pairs.js";
import { forEachParameter, type ToyGradient, type ToyParameters } from "./parameters.js";
import { publishedWrongRecurrence } from "./publishedRecurrence.js";
import { handwrittenRecurrence, hiddenStates, squaredError } from "./recurrence.js";

/** The ways to the gradient, in the order in which they are shown. `published` is the one that is wrong. */
const GRADIENT_METHODS = ["tape", "handwritten", "forwardMode", "complexStep", "closedForm", "finiteDifferences", "published"] as const;

export type GradientMethod = (typeof GRADIENT_METHODS)[number];

type GradientOf = (parameters: ToyParameters, inputs: ArrayLike<number>, targets: ArrayLike<number>) => ToyGradient;

const GRADIENT_BY: Record<GradientMethod, GradientOf> = {
  tape: tapeGradient,
  handwritten: (parameters, inputs, targets) => handwrittenRecurrence(parameters, inputs, targets).gradient,
  forwardMode: forwardModeGradient,
  complexStep: complexStepGradient,
  closedForm: closedFormGradient,
  finiteDifferences: finiteDifferenceGradient,
  published: (parameters, inputs) => publishedWrongRecurrence(parameters, inputs).gradient,
};

export interface ComparisonOptions {
  /** Which methods to compare: all of them where none are named, without the closed form for more than 3 time steps. */
  readonly methods?: readonly GradientMethod[];
  /** The method that the others are compared with; "tape" where none is named. */
  readonly reference?: GradientMethod;
}

/** One method's gradient and how far it is from the reference. */
export interface ComparedGradient {
  readonly method: GradientMethod;
  readonly gradient: ToyGradient;
  /** The absolute difference to the reference's gradient, for each parameter. */
  readonly difference: ToyGradient;
}

/** Where the published recurrence leads. */
export interface PublishedDirection {
  /** The cosine of the angle between the published and the reference gradient in (u, v, w); NaN where one of them is zero. */
  readonly cosine: number;
  /** The length of the step, as a multiple of the published gradient. */
  readonly step: number;
  /** What a step of that length against the published gradient in (u, v, w) adds to E. */
  readonly change: number;
  /** Whether that step, which should go down, goes up. */
  readonly uphill: boolean;
}

export interface GradientComparison {
  readonly parameters: ToyParameters;
  /** T, the number of training pairs. */
  readonly steps: number;
  /** E, the sum of squared errors. */
  readonly loss: number;
  readonly reference: GradientMethod;
  readonly gradients: readonly ComparedGradient[];
  /** The sum of the absolute terms of which each derivative is the sum: what a difference is to be measured by (see `gradientScale`). */
  readonly scale: ToyGradient;
  /** Null where the published recurrence is not compared. */
  readonly published: PublishedDirection | null;
}

const PUBLISHED_STEP = 0.01;

/**
 * The gradient of the one-unit network's E = sum_t (t_t - p_t)^2, computed in up to seven ways, and how far each is from the reference:
 *
 * - `tape`: reverse mode, `backward()` on the unrolled graph
 * - `handwritten`: back-propagation through time, derived by hand, in plain numbers
 * - `forwardMode`: real-time recurrent learning
 * - `complexStep`: the imaginary part of E at a complex parameter
 * - `closedForm`: the chain rule multiplied out, for at most 3 time steps
 * - `finiteDifferences`: central differences; the only one that approximates
 * - `published`: the recurrence as it was published, which is wrong (see `publishedWrongRecurrence`)
 *
 * The exact ones agree to 1e-12 of `scale` and finite differences to 1e-7, as long as the unit is not saturated: beyond |z| of about 8,
 * y (1 - y) has lost those digits to cancellation in every method that computes it so.
 *
 * @throws InputError for a parameter, input or target that is not finite, a wrong number of targets, an unknown method, or
 * `closedForm` asked for with more than 3 time steps.
 * @example
 * const result = compareGradients({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 }, [0.5, -1, 2], [-1, 2, 0.1]);
 * console.log(formatComparison(result));
 */
export function compareGradients(
  parameters: ToyParameters,
  inputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  options: ComparisonOptions = {},
): GradientComparison {
  checkParameters("compareGradients", parameters);
  checkPairs("compareGradients", inputs, targets);
  const steps = inputs.length;
  const methods = options.methods ?? methodsFor(steps);
  const reference = options.reference ?? "tape";
  for (const method of [...methods, reference]) checkMethod(method);

  const right = GRADIENT_BY[reference](parameters, inputs, targets);
  const gradients = methods.map((method) => {
    const gradient = method === reference ? right : GRADIENT_BY[method](parameters, inputs, targets);
    return { method, gradient, difference: forEachParameter((name) => Math.abs(gradient[name] - right[name])) };
  });
  return {
    parameters,
    steps,
    loss: squaredError(parameters.u, hiddenStates(parameters, inputs), targets),
    reference,
    gradients,
    scale: gradientScale(parameters, inputs, targets),
    published: methods.includes("published") ? publishedDirection(parameters, inputs, targets, right) : null,
  };
}

function methodsFor(steps: number): readonly GradientMethod[] {
  if (steps <= CLOSED_FORM_STEPS) return GRADIENT_METHODS;
  return GRADIENT_METHODS.filter((method) => method !== "closedForm");
}

function checkMethod(method: GradientMethod): void {
  if (GRADIENT_METHODS.includes(method)) return;
  throw new InputError(`compareGradients: expected methods out of ${GRADIENT_METHODS.join(", ")}, got ${String(method)}`);
}

/**
 * For each derivative the sum of the absolute values of its terms. Multiplied out, a derivative is a sum over the errors
 * e_t = 2 p_t - 2 t_t and, for each, over the uses of the parameter that lead to it; rounding is in proportion to those terms, not to their
 * sum, which may cancel to zero. It is the handwritten recurrence on absolute values.
 */
function gradientScale(parameters: ToyParameters, inputs: ArrayLike<number>, targets: ArrayLike<number>): ToyGradient {
  const u = Math.abs(parameters.u);
  const w = Math.abs(parameters.w);
  const states = hiddenStates(parameters, inputs);
  const scale = { u: 0, v: 0, w: 0, s: 0 };
  let deltaAfter = 0;
  for (let t = inputs.length; t >= 1; t--) {
    const y = states[t]!;
    const error = 2 * (u * y + Math.abs(targets[t - 1]!));
    const delta = y * (1 - y) * (error * u + w * deltaAfter);
    scale.u += error * y;
    scale.v += delta * Math.abs(inputs[t - 1]!);
    scale.w += delta * Math.abs(states[t - 1]!);
    deltaAfter = delta;
  }
  scale.s = w * deltaAfter;
  return scale;
}

/** In (u, v, w): those are the parameters that the published text names. */
function publishedDirection(
  parameters: ToyParameters,
  inputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  right: ToyGradient,
): PublishedDirection {
  const wrong = publishedWrongRecurrence(parameters, inputs).gradient;
  const stepped = {
    u: parameters.u - PUBLISHED_STEP * wrong.u,
    v: parameters.v - PUBLISHED_STEP * wrong.v,
    w: parameters.w - PUBLISHED_STEP * wrong.w,
    s: parameters.s,
  };
  const before = squaredError(parameters.u, hiddenStates(parameters, inputs), targets);
  const after = squaredError(stepped.u, hiddenStates(stepped, inputs), targets);
  const product = wrong.u * right.u + wrong.v * right.v + wrong.w * right.w;
  const lengths = Math.hypot(wrong.u, wrong.v, wrong.w) * Math.hypot(right.u, right.v, right.w);
  return { cosine: product / lengths, step: PUBLISHED_STEP, change: after - before, uphill: after > before };
}
