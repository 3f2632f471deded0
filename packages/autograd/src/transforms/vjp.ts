import { graphOf } from "../tape/graph.js";
import type { Value } from "../tape/value.js";
import type { InputsOf } from "./grad.js";
import { cotangentsOf, record } from "./record.js";
import { detached, leaves, leavesLike, rebuildAll, type ValuesOf, valuesOf } from "./tree.js";

/**
 * Calls f and gives `[out, pullback]`: pullback takes a cotangent shaped like out and gives one cotangent per argument, Jᵀ · cotangent.
 * It may be called several times. Throws ShapeError or InputError where a cotangent does not fit.
 *
 * @example
 * import { vjp } from "@unroll/autograd";
 * const [y, pullback] = vjp((x) => x.square(), [1, 2]);
 * const [dx] = pullback([1, 10]);
 * console.log(y.toArray(), dx.toArray()); // [ 1, 4 ] [ 2, 40 ]
 */
export function vjp<A extends readonly unknown[] = [Value], R = Value>(
  f: (...args: A) => R,
  ...primals: NoInfer<{ [K in keyof A]: InputsOf<A[K]> }>
): [out: ValuesOf<R>, pullback: (cotangent: InputsOf<ValuesOf<R>>) => { -readonly [K in keyof A]: ValuesOf<A[K]> }] {
  const call = record("vjp", f as never, primals, [...primals.keys()]);
  const out = valuesOf("vjp", call.out) as ValuesOf<R>;
  const roots = leaves(out);
  const isForeign = call.connected || (call.recording && graphOf(roots, { targets: call.inputs, floor: call.floor }).foreign);
  const pullback = (cotangent: InputsOf<ValuesOf<R>>) => {
    const seeds = leavesLike("vjp", "the cotangent", cotangent, out);
    const { cotangents } = cotangentsOf(call, roots, seeds, true);
    return rebuildAll(call.trees, cotangents) as { -readonly [K in keyof A]: ValuesOf<A[K]> };
  };
  return [isForeign ? out : detached(out), pullback];
}
