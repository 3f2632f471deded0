import { InputError, ShapeError } from "../errors.js";
import { tracer } from "../ops/tracer.js";
import { stack, unstack } from "../tape/functions.js";
import type { Value } from "../tape/value.js";
import type { InputsOf } from "./grad.js";
import { scope } from "./modes.js";
import { synchronous } from "./record.js";
import { leaves, leavesLike, rebuild, type ValuesOf, valuesOf } from "./tree.js";

/**
 * A loop over time: `step(carry, x)` gives `[carry, y]`, for each x along axis 0 of xs (a tree; all leaves of one length). Gives the last
 * carry and the ys, stacked along a new axis 0. Records the unrolled graph, each step in the scope `step t`, t = 1, …, T; in a compiled
 * function it is one loop, whose step is called once to be traced.
 * Throws ShapeError where lengths differ or the carry changes shape, InputError where there is no step at all.
 *
 * @example
 * import { scan } from "@unroll/autograd";
 * const [last, sums] = scan((total, x) => [total.add(x), total.add(x)], 0, [1, 2, 3]);
 * console.log(last.item(), sums.toArray()); // 6 [ 1, 3, 6 ]
 */
export function scan<C = Value, X = Value, Y = Value>(
  step: (carry: C, x: X) => readonly [carry: C, y: Y],
  init: NoInfer<InputsOf<C>>,
  xs: NoInfer<InputsOf<X>>,
): [carry: C, ys: ValuesOf<Y>] {
  const tree = valuesOf<unknown>("scan", xs);
  const steps = stepsOf(leaves(tree));
  if (tracer !== null) return tracer.scan(step, valuesOf("scan", init), tree) as [C, ValuesOf<Y>];
  const slices = leaves(tree).map((x) => unstack(x));
  let carry: C = valuesOf<unknown>("scan", init) as C;
  const ys: unknown[] = [];
  for (let t = 0; t < steps; t++) {
    const x = rebuild(
      tree,
      slices.map((all) => all[t] as Value),
    ) as unknown as X;
    const label = `step ${t + 1}`;
    const [next, y] = scope(label, () => checkedStep(step(carry, x)));
    leavesLike("scan", `the carry of ${label}`, next, carry);
    carry = valuesOf<unknown>("scan", next) as C;
    ys.push(y === null || y === undefined ? null : valuesOf("scan", y));
    if ((ys[0] === null) !== (ys[t] === null))
      throw new InputError(`scan: ${label} gave ${ys[t] === null ? "no y" : "a y"}, unlike step 1; give one at every step or at none`);
  }
  return [carry, stacked(ys) as ValuesOf<Y>];
}

/** What a step returned; throws InputError unless it is a pair. */
export function checkedStep<C, Y>(result: readonly [carry: C, y: Y]): readonly [carry: C, y: Y] {
  if (Array.isArray(synchronous("scan", result)) && result.length === 2) return result;
  throw new InputError("scan: the step must return [carry, y]; return null as y where there is none");
}

function stepsOf(xs: readonly Value[]): number {
  const lengths = xs.map((x) => x.shape[0] ?? 0);
  const [steps = 0] = lengths;
  if (steps === 0) throw new InputError("scan: xs has no steps; give at least one along axis 0");
  const odd = lengths.find((length) => length !== steps);
  if (odd !== undefined) throw new ShapeError(`scan: the leaves of xs have ${steps} and ${odd} steps along axis 0; all must have the same`);
  return steps;
}

/** Trees of one structure, leaf by leaf along a new axis 0. */
function stacked(ys: readonly unknown[]): unknown {
  const [first] = ys;
  if (first === null) return null;
  const columns = ys.map((y) => leavesLike("scan", "the output of a step", y, first));
  return rebuild(
    first,
    leaves(first).map((_, k) => stack(columns.map((column) => column[k] as Value))),
  );
}
