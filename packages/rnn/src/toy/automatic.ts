import { jvp, type Value } from "@unroll/autograd";
import { toyLoss, toyParams } from "./network.js";
import { forEachParameter, type ToyGradient, type ToyParameters, type ToyTree } from "./parameters.js";

/** The gradient of E by reverse mode: `backward()` on the unrolled graph. */
export function tapeGradient(parameters: ToyParameters, inputs: ArrayLike<number>, targets: ArrayLike<number>): ToyGradient {
  const leaves = toyParams(parameters);
  toyLoss(leaves, inputs, targets).backward();
  return forEachParameter((name) => leaves[name].grad.item());
}

/**
 * The gradient of E by forward mode, one sweep of tangents for each parameter. On a recurrent network this is real-time recurrent
 * learning: what is carried from step to step is the derivative of the state.
 *
 * Source: R. J. Williams and D. Zipser, "A learning algorithm for continually running fully recurrent neural networks", Neural
 * Computation 1 (1989).
 */
export function forwardModeGradient(parameters: ToyParameters, inputs: ArrayLike<number>, targets: ArrayLike<number>): ToyGradient {
  const loss = (leaves: ToyTree<Value>): Value => toyLoss(leaves, inputs, targets);
  return forEachParameter((name) => {
    const direction = forEachParameter((other) => (other === name ? 1 : 0));
    const [, derivative] = jvp(loss, [parameters], [direction]);
    return derivative.item();
  });
}
