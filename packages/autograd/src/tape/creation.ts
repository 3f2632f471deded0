import { checkDType, type DType } from "../dtype.js";
import { InputError } from "../errors.js";
import { arrayOf, ArrayType, filledPayload, toPayload } from "../ops/array.js";
import { checkShape, type Shape } from "../shape.js";
import { type Operand, toValue } from "./apply.js";
import { Value } from "./value.js";

export interface CreationOptions {
  /** Default float64; a 0-d floating value is always float64. */
  readonly dtype?: DType;
}

/** A constant whose k-th element is f(k). */
function generated(op: string, shape: Shape, { dtype = "float64" }: CreationOptions, f: (k: number) => number): Value {
  const type = new ArrayType(checkDType(op, dtype), checkShape(op, shape));
  return new Value(
    null,
    0,
    toPayload(
      arrayOf(
        type,
        Array.from({ length: type.size }, (_, k) => f(k)),
      ),
    ),
  );
}

/** A constant that is x everywhere. */
function uniform(op: string, shape: Shape, { dtype = "float64" }: CreationOptions, x: number): Value {
  return new Value(null, 0, filledPayload(new ArrayType(checkDType(op, dtype), checkShape(op, shape)), x));
}

/**
 * Zeros of a shape.
 * @example
 * import { zeros } from "@unroll/autograd";
 * console.log(zeros([2]).toArray()); // [ 0, 0 ]
 */
export function zeros(shape: Shape, options: CreationOptions = {}): Value {
  return uniform("zeros", shape, options, 0);
}

/**
 * Ones of a shape.
 * @example
 * import { ones } from "@unroll/autograd";
 * console.log(ones([2]).toArray()); // [ 1, 1 ]
 */
export function ones(shape: Shape, options: CreationOptions = {}): Value {
  return uniform("ones", shape, options, 1);
}

/**
 * Every element x.
 * @example
 * import { full } from "@unroll/autograd";
 * console.log(full([2], 7).toArray()); // [ 7, 7 ]
 */
export function full(shape: Shape, x: number, options: CreationOptions = {}): Value {
  return uniform("full", shape, options, x);
}

/**
 * The identity matrix [n, n].
 * @example
 * import { eye } from "@unroll/autograd";
 * console.log(eye(2).toArray()); // [ [ 1, 0 ], [ 0, 1 ] ]
 */
export function eye(n: number, options: CreationOptions = {}): Value {
  return generated("eye", [n, n], options, (k) => (k % (n + 1) === 0 ? 1 : 0));
}

/**
 * start, start + step, … below stop; with one argument from 0.
 * @example
 * import { arange } from "@unroll/autograd";
 * console.log(arange(3).toArray(), arange(5, 0, -2).toArray()); // [ 0, 1, 2 ] [ 5, 3, 1 ]
 */
export function arange(start: number, stop?: number, step = 1, options: CreationOptions = {}): Value {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (!Number.isFinite(from) || !Number.isFinite(to) || !Number.isFinite(step) || step === 0) {
    throw new InputError(`arange: start ${from}, stop ${to}, step ${step}: all must be finite, and the step not 0`);
  }
  return generated("arange", [Math.max(0, Math.ceil((to - from) / step))], options, (k) => from + k * step);
}

/**
 * n numbers at equal distances, from start to stop, both included.
 * @example
 * import { linspace } from "@unroll/autograd";
 * console.log(linspace(0, 1, 5).toArray()); // [ 0, 0.25, 0.5, 0.75, 1 ]
 */
export function linspace(start: number, stop: number, n: number, options: CreationOptions = {}): Value {
  return generated("linspace", [n], options, (k) => (k === n - 1 && n > 1 ? stop : start + ((stop - start) * k) / Math.max(1, n - 1)));
}

/**
 * Zeros of x's shape and dtype.
 * @example
 * import { zerosLike } from "@unroll/autograd";
 * console.log(zerosLike([1, 2]).toArray()); // [ 0, 0 ]
 */
export function zerosLike(x: Operand): Value {
  const { shape, dtype } = toValue("zerosLike", x);
  return zeros(shape, { dtype });
}

/**
 * Ones of x's shape and dtype.
 * @example
 * import { onesLike } from "@unroll/autograd";
 * console.log(onesLike([1, 2]).toArray()); // [ 1, 1 ]
 */
export function onesLike(x: Operand): Value {
  const { shape, dtype } = toValue("onesLike", x);
  return ones(shape, { dtype });
}
