import { isFloating } from "../dtype.js";
import { InputError } from "../errors.js";
import { cotangentOf } from "../ops/differentiate.js";
import type { Linearization, StructuralOp } from "../ops/op.js";
import { zerosOf } from "../ops/raw.js";
import { recordedAlgebra } from "../tape/apply.js";
import { graphOf, pushForward } from "../tape/graph.js";
import { floorHere } from "../tape/pass.js";
import { RecordedPass } from "../tape/recordedPass.js";
import { Param, Value } from "../tape/value.js";
import { differentiated, type InputsOf } from "./grad.js";
import { inMode, record, zerosFor } from "./record.js";
import { detached, leaves, leavesLike, rebuild, unlinked, type ValuesOf, valuesOf } from "./tree.js";

/**
 * Calls f and gives `[out, tangent]`, tangent = J · tangents: f is recorded, and tangents are swept forward over the tape. Primals and
 * tangents are lists of arguments. Throws ShapeError or InputError where tangents do not fit the primals.
 *
 * @example
 * import { jvp } from "@unroll/autograd";
 * const [y, dy] = jvp((x) => x.square(), [[1, 2]], [[1, 10]]);
 * console.log(y.toArray(), dy.toArray()); // [ 1, 4 ] [ 2, 40 ]
 */
export function jvp<A extends readonly unknown[] = [Value], R = Value>(
  f: (...args: A) => R,
  primals: NoInfer<{ readonly [K in keyof A]: InputsOf<A[K]> }>,
  tangents: NoInfer<{ readonly [K in keyof A]: InputsOf<A[K]> }>,
): [out: ValuesOf<R>, tangent: ValuesOf<R>] {
  return pushed("jvp", f, primals, tangents) as [ValuesOf<R>, ValuesOf<R>];
}

/** The value and the tangent of a function, for the transform that messages name. */
function pushed(op: string, f: (...args: never[]) => unknown, args: readonly unknown[], tangents: readonly unknown[]): [unknown, unknown] {
  const what = op === "hvp" ? "vector" : "tangent";
  if (args.length !== tangents.length) {
    throw new InputError(`${op}: ${args.length} primals and ${tangents.length} ${what}s; give one ${what} an argument`);
  }
  const directions = args.flatMap((primal, k) => leavesLike(op, `the ${what} of argument ${k}`, tangents[k], valuesOf(op, primal)));
  const call = record(op, f, args, [...args.keys()]);
  const out = valuesOf<unknown>(op, call.out);
  const roots = leaves(out);
  const graph = graphOf(roots, { targets: call.inputs, floor: call.floor });
  const recorded = call.recording && (graph.foreign || call.connected || directions.some((t) => t.requiresGrad));
  // Where nobody can ask for more, the tangents are swept as constants.
  const asOperand = (x: Value): Value => (recorded ? x : unlinked(x));
  const known = new Map(call.inputs.map((x, k) => [x, asOperand(directions[k] as Value)]));
  const found = inMode(op, recorded, () => pushForward(graph, recordedAlgebra, known, { operand: asOperand }, transposedOfVjp));
  const tangent = rebuild(
    out,
    found.map((t, k) => (t === null ? zerosFor(roots[k] as Value) : asOperand(t))),
  );
  return [recorded ? out : detached(out), tangent];
}

/** A rule that gives its vjp alone: u ↦ vjp(u) is linear, and the tangent map is its transpose, which a vjp of the vjp gives. */
function transposedOfVjp(op: StructuralOp, tangents: readonly (Value | null)[], at: Linearization<Value, unknown>): (Value | null)[] {
  return inMode(op.name, true, () => {
    const floor = floorHere();
    const duals = at.outTypes.map((type) => (isFloating(type.dtype) ? new Param(zerosOf(type), "") : null));
    const terms = tangents.flatMap((t, k) => (t === null ? [] : [cotangentOf(recordedAlgebra, op, k, duals, at).mul(t).sum()]));
    const total = terms.reduce((x, y) => x.add(y));
    const found = RecordedPass.cotangents(
      [total],
      [new Value(null, 0, 1)],
      floor,
      duals.filter((dual) => dual !== null),
      (f) => f(),
    );
    return duals.map((dual) => (dual === null ? null : (found.get(dual) ?? null)));
  });
}

/**
 * Hessian-vector products of a scalar function: one per argument, H · vectors, forward over reverse, without the Hessian.
 *
 * @example
 * import { hvp } from "@unroll/autograd";
 * const [h] = hvp((x) => x.pow(3).sum(), [[1, 2]], [[1, 1]]);
 * console.log(h.toArray()); // [ 6, 12 ]
 */
export function hvp<A extends readonly unknown[] = [Value]>(
  f: (...args: A) => Value | number,
  primals: NoInfer<{ readonly [K in keyof A]: InputsOf<A[K]> }>,
  vectors: NoInfer<{ readonly [K in keyof A]: InputsOf<A[K]> }>,
): { -readonly [K in keyof A]: ValuesOf<A[K]> } {
  const positions = [...primals.keys()];
  const gradients = (...args: never[]): unknown => differentiated("hvp", f, args, positions)[1];
  return pushed("hvp", gradients, primals, vectors)[1] as { -readonly [K in keyof A]: ValuesOf<A[K]> };
}
