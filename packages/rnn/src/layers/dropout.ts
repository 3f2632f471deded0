import { DTypeError, ge, InputError, type Shape, ShapeError, Value, where } from "@unroll/autograd";
import { type Key, uniform } from "@unroll/autograd/random";
import { checkValue, formatShape } from "../cells/checks.js";

export interface DropoutOptions {
  /** Shape of the mask, which stretches to that of x; default: that of x. Where it has length 1, all along that axis share their fate. */
  readonly maskShape?: Shape | undefined;
}

/**
 * x with elements set to zero, each with probability `rate`, and the others divided by 1 - rate, so that the mean stays. What is dropped
 * follows from a key, or is given as a mask of bool, true where an element is kept (`dropoutMask`). In a compiled function a key drops the
 * same at every call, since draws are made while it is traced; there, draw the mask outside and give it as an argument.
 * Source: N. Srivastava et al., JMLR 15 (2014). Throws InputError unless 0 <= rate <= 1, DTypeError for a mask that is not of bool, ShapeError
 * for one that does not stretch to x.
 *
 * @example
 * import { ones, value } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const y = dropout(ones([1000]), 0.5, key(1));
 * console.log(y.min().item(), y.max().item()); // 0 2
 * console.log(Math.abs(y.mean().item() - 1) < 0.1); // true
 * console.log(dropout(ones([3]), 0.5, value([1, 0, 1], { dtype: "bool" })).toArray()); // [ 2, 0, 2 ]
 */
export function dropout(x: Value, rate: number, from: Key | Value, { maskShape }: DropoutOptions = {}): Value {
  checkRate("dropout", rate);
  checkValue("dropout", "the input", x);
  const kept = from instanceof Value ? from : dropoutMask(from, maskShape ?? x.shape, rate);
  if (kept.dtype !== "bool")
    throw new DTypeError(`dropout: a mask is of bool, true where an element is kept, got ${kept.dtype}; draw one with dropoutMask(…)`);
  const scaled = where(kept, x.mul(rate === 1 ? 0 : 1 / (1 - rate)), 0);
  if (scaled.shape.join() === x.shape.join()) return scaled;
  throw new ShapeError(`dropout: a mask of shape ${formatShape(kept.shape)} does not stretch to ${formatShape(x.shape)}`);
}

/**
 * A mask for `dropout`: of bool, false with probability `rate`. The same key gives the same mask. Throws InputError unless 0 <= rate <= 1.
 *
 * @example
 * import { ones, type Value } from "@unroll/autograd";
 * import { compile } from "@unroll/autograd/compile";
 * import { key } from "@unroll/autograd/random";
 * const total = compile((x: Value, mask: Value) => dropout(x, 0.5, mask).sum());
 * const masks = [0, 1].map((seed) => dropoutMask(key(seed), [1000], 0.5));
 * console.log(total(ones([1000]), masks[0]!).item() === total(ones([1000]), masks[1]!).item()); // false
 */
export function dropoutMask(key: Key, shape: Shape, rate: number): Value {
  checkRate("dropoutMask", rate);
  return ge(uniform(key, shape), rate);
}

export function checkRate(op: string, rate: number): void {
  if (!(rate >= 0 && rate <= 1)) throw new InputError(`${op}: a dropout rate is a probability, from 0 to 1, got ${rate}`);
}
