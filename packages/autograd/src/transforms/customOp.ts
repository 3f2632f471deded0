import { GraphError } from "../errors.js";
import type { ArrayAlgebra } from "../ops/algebra.js";
import type { ArrayType, NdArray } from "../ops/array.js";
import type { Linearization, SingleOutputOp } from "../ops/op.js";
import { applyStructural, type Operand, recordedAlgebra, toValue } from "../tape/apply.js";
import { checkIsValue, Value } from "../tape/value.js";
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
  return (...operands) => {
    const values = operands.map((x) => toValue(name, x));
    const result = inMode(name, false, () => forward(...values.map((x) => x.detach())));
    checkIsValue(result);
    // The result is an operand, so that a traced function, too, takes it as it is and the rule from here.
    const op: SingleOutputOp<null> = {
      kind: "structural",
      name,
      constants: [0],
      keeps: [...values.map((_, k) => ({ operand: k + 1 })), { output: 0 }],
      types: ([x]) => [x as ArrayType],
      forward: ([x]) => [x as NdArray],
      vjp: (m, k, [ct], at) => cotangentOf(name, vjp, m, ct, k - 1, at),
    };
    return applyStructural(op, [result.detach(), ...values], null)[0] as Value;
  };
}

/** The user's vjp on a reader's values: recorded as they are, raw ones as constants. */
function cotangentOf<T>(name: string, vjp: CustomRule["vjp"], m: ArrayAlgebra<T>, ct: T, k: number, at: Linearization<T, null>): T {
  const recorded = (m as unknown) === recordedAlgebra;
  const asValue = (x: T): Value => (recorded ? (x as Value) : new Value(null, 0, x as Value["payload"]));
  const operands = at.types.slice(1).map((_, j) => asValue(at.operand(j + 1)));
  const found = inMode(name, recorded, () => vjp(asValue(ct), operands, asValue(at.output(0))))[k];
  if (found === undefined) throw new GraphError(`${name}: the vjp gave no cotangent for operand ${k}; return one an operand, or null`);
  if (found === null) return m.broadcastTo(m.const(0), at.types[k + 1]?.shape ?? []);
  return (recorded ? found : found.payload) as T;
}
