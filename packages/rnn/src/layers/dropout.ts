import { InputError, type Shape, type Value, value } from "@unroll/autograd";
import { type Key, uniform } from "@unroll/autograd/random";

export interface DropoutOptions {
  /** Shape of the mask, which stretches to that of x; default: that of x. Where it has length 1, all along that axis share their fate. */
  readonly maskShape?: Shape | undefined;
}

/**
 * x with elements set to zero, each with probability `rate`, and the others divided by 1 - rate, so that the mean stays. The same key gives
 * the same mask. Source: N. Srivastava et al., JMLR 15 (2014). Throws InputError unless 0 <= rate <= 1.
 *
 * @example
 * import { ones } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const y = dropout(ones([1000]), 0.5, key(1));
 * console.log(y.min().item(), y.max().item()); // 0 2
 * console.log(Math.abs(y.mean().item() - 1) < 0.1); // true
 */
export function dropout(x: Value, rate: number, key: Key, { maskShape = x.shape }: DropoutOptions = {}): Value {
  checkRate("dropout", rate);
  const scale = rate === 1 ? 0 : 1 / (1 - rate);
  const mask = uniform(key, maskShape).data.map((u) => (u >= rate ? scale : 0));
  return x.mul(value(mask, { shape: maskShape, dtype: x.dtype }));
}

export function checkRate(op: string, rate: number): void {
  if (!(rate >= 0 && rate <= 1)) throw new InputError(`${op}: a dropout rate is a probability, from 0 to 1, got ${rate}`);
}
