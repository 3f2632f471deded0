import { GraphError } from "../errors.js";
import { isFloating } from "../dtype.js";
import type { ArrayAlgebra } from "../ops/algebra.js";
import { toNdArray } from "../ops/array.js";
import type { Linearization, StructuralOp } from "../ops/op.js";
import { applyStructural, type Operand, recordedAlgebra, toValue } from "../tape/apply.js";
import { Value } from "../tape/value.js";
import { inMode } from "./record.js";

export interface CustomRule {
  /** Shown in messages and pictures. */
  readonly name: string;
  /** Computes the result from constants; nothing it does is recorded. */
  readonly forward: (...operands: Value[]) => Value;
  /** One cotangent an operand (null where there is none) from that of the result; written in operations, so that it has derivatives itself. */
  readonly vjp: (cotangent: Value, operands: readonly Value[], result: Value) => readonly (Value | null)[];
}

/**
 * An operation with a derivative of your own. Forward mode and higher orders come from the vjp.
 *
 * @example
 * import { customOp, param } from "@unroll/autograd";
 * const clippedIdentity = customOp({
 *   name: "clippedIdentity",
 *   forward: (x) => x,
 *   vjp: (ct) => [ct.minimum(1).maximum(-1)],
 * });
 * const w = param(3);
 * clippedIdentity(w).mul(10).backward();
 * console.log(w.grad.item()); // 1
 */
export function customOp({ name, forward, vjp }: CustomRule): (...operands: Operand[]) => Value {
  const op = (arity: number): StructuralOp<null> => {
    let result: Value | null = null;
    return {
      kind: "structural",
      name,
      keeps: [...Array.from({ length: arity }, (_, operand) => ({ operand })), { output: 0 }],
      // Its shape is known only once it ran: the type is taken from the result, which forward then hands over.
      types: () => [(result as Value).type],
      forward: () => [toNdArray((result as Value).payload)],
      vjp: (m, k, [ct], at) => cotangent(m, ct as never, k, at),
      ...{ compute: (operands: Value[]) => void (result = inMode(name, false, () => forward(...operands.map((x) => x.detach())))) },
    };
  };
  const cotangent = <T>(m: ArrayAlgebra<T>, ct: T, k: number, at: Linearization<T, null>): T => {
    const recorded = (m as unknown) === recordedAlgebra;
    const asValue = (x: T): Value => (recorded ? (x as Value) : new Value(null, 0, x as Value["payload"]));
    const run = () =>
      vjp(
        asValue(ct),
        at.types.map((_, j) => asValue(at.operand(j))),
        asValue(at.output(0)),
      );
    const found = (recorded ? run() : inMode(name, false, run))[k];
    if (found === undefined) throw new GraphError(`${name}: the vjp gave no cotangent for operand ${k}; return one an operand, or null`);
    if (found === null) return m.broadcastTo(m.const(0), at.types[k]?.shape ?? []);
    return (recorded ? found : found.payload) as T;
  };
  return (...operands) => {
    const values = operands.map((x) => toValue(name, x));
    const own = op(values.length) as StructuralOp<null> & { compute(operands: Value[]): void };
    own.compute(values);
    if (!values.some((x) => isFloating(x.dtype))) throw new GraphError(`${name}: none of the operands is floating`);
    return applyStructural(own, values, null)[0] as Value;
  };
}
