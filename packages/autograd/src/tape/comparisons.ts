import { choice, comparison, logical } from "../ops/table.js";
import { applyElementwise, type Operand } from "./apply.js";
import type { Value } from "./value.js";

/**
 * x = y, elementwise with broadcasting; bool, no gradient.
 * @example
 * import { eq } from "@unroll/autograd";
 * console.log(eq([1, 2], [1, 3]).toArray()); // [ 1, 0 ]
 */
export function eq(x: Operand, y: Operand): Value {
  return applyElementwise(comparison.eq, [x, y]);
}

/**
 * x is not y, elementwise with broadcasting; bool, no gradient. NaN differs from everything.
 * @example
 * import { ne } from "@unroll/autograd";
 * console.log(ne([1, 2], [1, 3]).toArray()); // [ 0, 1 ]
 */
export function ne(x: Operand, y: Operand): Value {
  return applyElementwise(comparison.ne, [x, y]);
}

/**
 * x < y, elementwise with broadcasting; bool, no gradient.
 * @example
 * import { lt } from "@unroll/autograd";
 * console.log(lt([1, 2], 2).toArray()); // [ 1, 0 ]
 */
export function lt(x: Operand, y: Operand): Value {
  return applyElementwise(comparison.lt, [x, y]);
}

/**
 * x <= y, elementwise with broadcasting; bool, no gradient.
 * @example
 * import { le } from "@unroll/autograd";
 * console.log(le([1, 2], 1).toArray()); // [ 1, 0 ]
 */
export function le(x: Operand, y: Operand): Value {
  return applyElementwise(comparison.le, [x, y]);
}

/**
 * x > y, elementwise with broadcasting; bool, no gradient.
 * @example
 * import { gt } from "@unroll/autograd";
 * console.log(gt([1, 2], 1).toArray()); // [ 0, 1 ]
 */
export function gt(x: Operand, y: Operand): Value {
  return applyElementwise(comparison.gt, [x, y]);
}

/**
 * x >= y, elementwise with broadcasting; bool, no gradient.
 * @example
 * import { ge } from "@unroll/autograd";
 * console.log(ge([1, 2], 2).toArray()); // [ 0, 1 ]
 */
export function ge(x: Operand, y: Operand): Value {
  return applyElementwise(comparison.ge, [x, y]);
}

/**
 * Both hold, elementwise with broadcasting; any number but 0 counts as true. Bool, no gradient.
 * @example
 * import { logicalAnd } from "@unroll/autograd";
 * console.log(logicalAnd([1, 1], [0, 1]).toArray()); // [ 0, 1 ]
 */
export function logicalAnd(x: Operand, y: Operand): Value {
  return applyElementwise(logical.logicalAnd, [x, y]);
}

/**
 * At least one holds, elementwise with broadcasting; any number but 0 counts as true. Bool, no gradient.
 * @example
 * import { logicalOr } from "@unroll/autograd";
 * console.log(logicalOr([0, 1], [0, 1]).toArray()); // [ 0, 1 ]
 */
export function logicalOr(x: Operand, y: Operand): Value {
  return applyElementwise(logical.logicalOr, [x, y]);
}

/**
 * Exactly one holds, elementwise with broadcasting; any number but 0 counts as true. Bool, no gradient.
 * @example
 * import { logicalXor } from "@unroll/autograd";
 * console.log(logicalXor([1, 1], [0, 1]).toArray()); // [ 1, 0 ]
 */
export function logicalXor(x: Operand, y: Operand): Value {
  return applyElementwise(logical.logicalXor, [x, y]);
}

/**
 * Does not hold, elementwise; any number but 0 counts as true. Bool, no gradient.
 * @example
 * import { logicalNot } from "@unroll/autograd";
 * console.log(logicalNot([0, 1]).toArray()); // [ 1, 0 ]
 */
export function logicalNot(x: Operand): Value {
  return applyElementwise(logical.logicalNot, [x]);
}

/**
 * x where the condition holds, y elsewhere; all three broadcast. The operand not taken gets a gradient of 0. (That 0 still passes
 * through whatever made the operand: sqrt of a negative number turns it into NaN; choose its argument with where, too.)
 * @example
 * import { param, where } from "@unroll/autograd";
 * const x = param([-1, 4]);
 * where(x.gt(0), x.square(), x).sum().backward();
 * console.log(x.grad.toArray()); // [ 1, 8 ]
 */
export function where(condition: Operand, x: Operand, y: Operand): Value {
  return applyElementwise(choice.where, [condition, x, y]);
}
