import { InputError } from "../errors.js";
import { Param } from "../tape/value.js";
import { noGrad, zeroGrad } from "../transforms/modes.js";
import { leaves } from "../transforms/tree.js";
import type { UpdateRule } from "./rules.js";

export interface Optimizer {
  /** Moves the params along their `.grad`, by the rule. */
  step(): void;
  /** Forgets their gradients. */
  zeroGrad(): void;
}

/**
 * An update rule bound to params: the eager wrapper, for loops that call backward(). Throws InputError for a leaf that is no Param.
 *
 * @example
 * import { param } from "@unroll/autograd";
 * import { optimizer, sgd } from "@unroll/autograd/optim";
 * const w = param(3);
 * const descent = optimizer(sgd({ learningRate: 0.1 }), { w });
 * w.square().backward();
 * descent.step();
 * descent.zeroGrad();
 * console.log(w.item().toFixed(4), w.hasGrad); // 2.4000 false
 */
export function optimizer<S>(rule: UpdateRule<S>, params: unknown): Optimizer {
  const all = leaves(params).map((x) => {
    if (x instanceof Param) return x;
    throw new InputError(
      "optimizer: every leaf of the tree must be a Param; for plain Values call the rule's update(params, grads, state)",
    );
  });
  let state = rule.init(all.map((p) => p.detach()));
  return {
    step() {
      noGrad(() => {
        const [moved, next] = rule.update(
          all.map((p) => p.detach()),
          all.map((p) => p.grad.detach()),
          state,
        );
        state = next;
        moved.forEach((x, k) => {
          all[k]?.set(x);
        });
      });
    },
    zeroGrad: () => zeroGrad(all),
  };
}
