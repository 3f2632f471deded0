import type { DType } from "../dtype.js";
import { DTypeError, InputError } from "../errors.js";
import { ArrayType, newArray, toPayload } from "../ops/array.js";
import { checkShape, type Shape } from "../shape.js";
import { Value } from "../tape/value.js";
import { threefry2x32 } from "./threefry.js";

/** A key of the generator: two 32-bit words. The same key always gives the same numbers; take a new one for each draw. */
export interface Key {
  readonly words: readonly [number, number];
}

const block = new Uint32Array(2);

function draw({ words }: Key, counter: number, stream: number): [number, number] {
  if (typeof (words as readonly unknown[] | undefined)?.[0] !== "number")
    throw new InputError(
      "random: expected a key of numbers, such as key(0); a compiled function cannot take one as an argument: draw outside, and pass the draws",
    );
  threefry2x32(words[0], words[1], counter, stream, block);
  return [block[0] as number, block[1] as number];
}

// Draws, splits and folds take their words from different streams, so that none repeats another.
const DRAW = 0;
const SPLIT = 1;
const FOLD = 2;

/**
 * A key from a seed, any whole number of at most 53 bits. Throws InputError for another number.
 *
 * @example
 * import { key, uniform } from "@unroll/autograd/random";
 * console.log(uniform(key(1), []).item() === uniform(key(1), []).item()); // true
 */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed)) throw new InputError(`key: a seed is a whole number of at most 53 bits, got ${seed}`);
  return { words: [Math.floor(seed / 2 ** 32) >>> 0, seed >>> 0] };
}

/**
 * n independent keys from one (default 2); the old one is not to be used again.
 *
 * @example
 * import { key, splitKey } from "@unroll/autograd/random";
 * console.log(splitKey(key(1), 3).length); // 3
 */
export function splitKey(from: Key, n = 2): Key[] {
  return Array.from({ length: n }, (_, k) => ({ words: draw(from, k, SPLIT) }));
}

/**
 * A key derived from another and a whole number, such as the number of a step.
 *
 * @example
 * import { foldIn, key, uniform } from "@unroll/autograd/random";
 * console.log(uniform(foldIn(key(1), 7), []).item() === uniform(foldIn(key(1), 8), []).item()); // false
 */
export function foldIn(from: Key, n: number): Key {
  if (!Number.isInteger(n) || n < 0 || n >= 2 ** 32) throw new InputError(`foldIn: n is a whole number from 0 to 2^32 - 1, got ${n}`);
  return { words: draw(from, n, FOLD) };
}

export interface RandomOptions {
  /** float64 (default) or float32. */
  readonly dtype?: DType;
}

export interface UniformOptions extends RandomOptions {
  /** Lower end, included; default 0. */
  readonly low?: number;
  /** Upper end, excluded; default 1. */
  readonly high?: number;
}

function drawn(op: string, shape: Shape, dtype: DType, f: (k: number) => number): Value {
  if (dtype !== "float64" && dtype !== "float32") throw new DTypeError(`${op}: draws are float64 or float32, got ${dtype}`);
  const out = newArray(new ArrayType(shape.length === 0 ? "float64" : dtype, checkShape(op, shape)));
  for (let k = 0; k < out.type.size; k++) out.data[out.offset + k] = f(k);
  return new Value(null, 0, toPayload(out));
}

/** 53 random bits as a number in [0, 1). */
function unit([a, b]: [number, number]): number {
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
}

/**
 * Uniform draws from [low, high); where rounding would give high, the number below it. Throws DTypeError for integers, InputError unless
 * low < high and both, and their distance, are finite.
 *
 * @example
 * import { key, uniform } from "@unroll/autograd/random";
 * const x = uniform(key(0), [1000], { low: -1, high: 1 });
 * console.log(x.min().item() >= -1, x.max().item() < 1); // true true
 */
export function uniform(from: Key, shape: Shape, { low = 0, high = 1, dtype = "float64" }: UniformOptions = {}): Value {
  if (!(low < high && Number.isFinite(high - low)))
    throw new InputError(`uniform: low is a number below high, at a finite distance; got ${low} and ${high}`);
  const isSingle = dtype === "float32" && shape.length > 0;
  const last = below(high, isSingle);
  return drawn("uniform", shape, dtype, (k) => {
    const x = low + (high - low) * unit(draw(from, k, DRAW));
    return (isSingle ? Math.fround(x) : x) < high ? x : last;
  });
}

/** The greatest number below x, in single or double precision. */
function below(x: number, isSingle: boolean): number {
  const floats = isSingle ? Float32Array.of(x) : Float64Array.of(x);
  const nearest = floats[0] as number;
  if (nearest < x) return nearest;
  if (nearest === 0) return isSingle ? -(2 ** -149) : -Number.MIN_VALUE;
  // Numbers of one sign are in the order of their bits.
  const step = nearest > 0 ? -1 : 1;
  if (isSingle) new Int32Array(floats.buffer)[0]! += step;
  else new BigInt64Array(floats.buffer)[0]! += BigInt(step);
  return floats[0] as number;
}

/**
 * Standard normal draws, by the transform of Box and Muller (1958). Throws DTypeError for integers.
 *
 * @example
 * import { key, randn } from "@unroll/autograd/random";
 * const x = randn(key(0), [10000]);
 * console.log(Math.abs(x.mean().item()) < 0.05, Math.abs(x.variance().item() - 1) < 0.05); // true true
 */
export function randn(from: Key, shape: Shape, { dtype = "float64" }: RandomOptions = {}): Value {
  return drawn("randn", shape, dtype, (k) => {
    const radius = Math.sqrt(-2 * Math.log(1 - unit(draw(from, k, DRAW))));
    return radius * Math.cos(2 * Math.PI * unit(draw(from, k, DRAW + 3)));
  });
}
