import { checkInputs } from "./pairs.js";
import type { ToyGradient, ToyParameters } from "./parameters.js";
import { hiddenStates } from "./recurrence.js";

/** What the published recurrence gives. Arrays hold t = 1, …, T. */
export interface PublishedWrongRecurrence {
  /** The printed deltas, without the errors e_t. */
  readonly deltas: Float64Array;
  /** The printed "dE/du = y_t": one number for each time step, never summed. */
  readonly printedU: Float64Array;
  /** The gradient of F = sum_t p_t: the printed derivatives, with the missing sum over t restored in u. It is NOT the gradient of E. */
  readonly gradient: ToyGradient;
}

/**
 * The recurrence as it was published, which is WRONG for E = sum_t (t_t - p_t)^2 and is here only to be compared:
 *
 *     delta_t = y_t (1 - y_t) (u + delta_{t+1} w)     (the factor e_t = 2 (p_t - t_t) is missing)
 *     dE/du   = y_t                                   (no e_t, no sum over t)
 *
 * What it computes instead is the gradient of F = sum_t p_t, the sum of the predictions, for which every e_t is 1: exactly so for v, w
 * and s, and for u once the sum over t is restored, as `gradient` does. The targets take no part in it (it has no argument for them), and
 * a step against it can raise E.
 *
 * @throws InputError for no inputs, or one that is not finite.
 * @example
 * // dF/dv; dE/dv is 0.739… for the targets (-1, 2, 0.1).
 * publishedWrongRecurrence({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 }, [0.5, -1, 2]).gradient.v; // 0.288…
 */
export function publishedWrongRecurrence(parameters: ToyParameters, inputs: ArrayLike<number>): PublishedWrongRecurrence {
  checkInputs("publishedWrongRecurrence", inputs);
  const { u, w } = parameters;
  const states = hiddenStates(parameters, inputs);
  const deltas = new Float64Array(inputs.length);
  const gradient = { u: 0, v: 0, w: 0, s: 0 };
  let deltaAfter = 0;
  for (let t = inputs.length; t >= 1; t--) {
    const y = states[t]!;
    const delta = y * (1 - y) * (u + deltaAfter * w);
    deltas[t - 1] = delta;
    gradient.u += y;
    gradient.v += delta * inputs[t - 1]!;
    gradient.w += delta * states[t - 1]!;
    deltaAfter = delta;
  }
  gradient.s = w * deltaAfter;
  return { deltas, printedU: states.slice(1), gradient };
}
