import { tracer } from "../ops/tracer.js";
import { clearRetainedGrad } from "../tape/hooks.js";
import { currentScope, setScope } from "../tape/segments.js";
import { Param } from "../tape/value.js";
import { inMode, synchronous } from "./record.js";
import { leaves } from "./tree.js";

/**
 * Runs f without recording: what it computes are constants. Throws InputError where f is async.
 *
 * @example
 * import { noGrad, param } from "@unroll/autograd";
 * const w = param(2);
 * console.log(noGrad(() => w.square()).requiresGrad); // false
 */
export function noGrad<R>(f: () => R): R {
  const unrecorded = () => inMode("noGrad", false, f);
  return tracer === null ? unrecorded() : tracer.withoutDerivatives(unrecorded);
}

/**
 * Runs f with everything it records labelled, for `contributions` and pictures; labels nest as `outer/inner`. Throws InputError where f
 * is async.
 *
 * @example
 * import { param, scope } from "@unroll/autograd";
 * const w = param(2);
 * console.log(scope("layer 1", () => w.square()).item()); // 4
 */
export function scope<R>(label: string, f: () => R): R {
  const outer = currentScope();
  setScope(outer === null ? label : `${outer}/${label}`);
  try {
    return synchronous("scope", f());
  } finally {
    setScope(outer);
  }
}

/**
 * Forgets the gradients of all params in a tree (and of values that retain theirs).
 *
 * @example
 * import { param, zeroGrad } from "@unroll/autograd";
 * const w = param(2);
 * w.square().backward();
 * zeroGrad({ w });
 * console.log(w.hasGrad, w.grad.item()); // false 0
 */
export function zeroGrad(tree: unknown): void {
  for (const x of leaves(tree)) {
    if (x instanceof Param) x.clearGrad();
    else clearRetainedGrad(x);
  }
}
