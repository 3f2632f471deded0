import { graphOf } from "../tape/graph.js";
import type { Value } from "../tape/value.js";
import type { InputsOf } from "./grad.js";
import { cotangentsOf, record } from "./record.js";
import { leaves, leavesLike, rebuild, type ValuesOf, valuesOf } from "./tree.js";

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
  const call = record(
    "vjp",
    f as never,
    primals,
    primals.map((_, k) => k),
  );
  const out = valuesOf("vjp", call.out) as ValuesOf<R>;
  const roots = leaves(out);
  const trees = primals.map((primal) => valuesOf("vjp", primal));
  const isForeign = call.connected || (call.recording && graphOf(roots, { targets: call.inputs, floor: call.floor }).foreign);
  const pullback = (cotangent: InputsOf<ValuesOf<R>>) => {
    const seeds = leavesLike("vjp", "the cotangent", cotangent, out);
    const { cotangents } = cotangentsOf(call, roots, seeds, true);
    let at = 0;
    return trees.map((tree) => {
      const count = leaves(tree).length;
      at += count;
      return rebuild(tree, cotangents.slice(at - count, at));
    }) as { -readonly [K in keyof A]: ValuesOf<A[K]> };
  };
  return [
    isForeign
      ? out
      : rebuild(
          out,
          roots.map((root) => root.detach()),
        ),
    pullback,
  ];
}
