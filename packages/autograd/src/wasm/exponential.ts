import type { Lanes, LaneType } from "./lanes.js";

/** Sizes of the formats, and what is known of exp in them. The polynomials are of scripts/minimax.py. */
interface Format {
  /** Bits of the mantissa, without the leading one. */
  readonly mantissa: number;
  readonly bias: number;
  /** Beyond these exp rounds to 0 and to Infinity. */
  readonly lowest: number;
  readonly highest: number;
  /** ln 2 in two parts: a multiple of the first by a whole number that occurs is exact. */
  readonly ln2: readonly [number, number];
  /** q of exp(r) = 1 + r + r² q(r), |r| at most ln 2 / 2. */
  readonly q: readonly number[];
}

export const FORMATS: Record<LaneType, Format> = {
  float32: {
    mantissa: 23,
    bias: 127,
    lowest: -104,
    highest: 89,
    ln2: [0.693359375, -0.00021219444005469057],
    q: [0.5, 0.16666576266288757, 0.04166637361049652, 0.008363251574337482, 0.0013941297074779868],
  },
  float64: {
    mantissa: 52,
    bias: 1023,
    lowest: -746,
    highest: 710,
    ln2: [0.6931471806019545, -4.2009150726810846e-11],
    q: [
      0.5000000000000001, 0.16666666666666674, 0.04166666666662372, 0.008333333333322045, 0.001388888891741763, 0.0001984126988711038,
      2.480152098032601e-5, 2.755724172286124e-6, 2.762023809995898e-7, 2.5110290747795908e-8,
    ],
  },
};

/** e to the power x; `nonPositive` says that x is never above 0. */
export function exponential(m: Lanes, x: number, nonPositive = false): number {
  const { lowest, highest, bias } = FORMATS[m.dtype];
  return m.scope(() => {
    const above = m.atLeast(x, lowest);
    const clamped = nonPositive ? above : m.atMost(above, highest);
    const { r, shifted } = reduce(m, clamped, 2 * bias);
    return scaled(m, expm1Reduced(m, r), shifted);
  });
}

/** exp(x) - 1. */
export function exponentialMinusOne(m: Lanes, x: number): number {
  const { mantissa, bias, highest } = FORMATS[m.dtype];
  return m.scope(() => {
    const clamped = m.atMost(m.atLeast(x, -mantissa), highest);
    // Half the power of two: the whole one would overflow before the result does.
    const { r, shifted } = reduce(m, clamped, bias - 1);
    const half = powerOfTwo(m, shifted);
    const sum = m.madd(expm1Reduced(m, r), half, m.sub(half, m.const(0.5)));
    // Halved, a denormal loses its last bit, and -0 its sign.
    const tiny = m.lt(m.abs(x), m.const(2 ** -(mantissa + 2)));
    return m.where(tiny, x, m.add(sum, sum));
  });
}

/** exp(x) - 1 for x from 0 to where its square would overflow. */
export function expm1OfModerate(m: Lanes, x: number): number {
  return m.scope(() => {
    const { r, shifted } = reduce(m, x, FORMATS[m.dtype].bias);
    const power = powerOfTwo(m, shifted);
    return m.madd(expm1Reduced(m, r), power, m.sub(power, m.const(1)));
  });
}

/** exp(x) times 2^-exponent, where that is neither denormal nor too large. */
export function expOverPower(m: Lanes, x: number, exponent: number): number {
  return m.scope(() => {
    const { r, shifted } = reduce(m, x, FORMATS[m.dtype].bias - exponent);
    const power = powerOfTwo(m, shifted);
    return m.madd(expm1Reduced(m, r), power, power);
  });
}

/**
 * x = n ln 2 + r. Adding 1.5 times 2 to the size of the mantissa rounds to whole numbers and leaves them in the last bits: `shifted` ends
 * in n + offset.
 */
function reduce(m: Lanes, x: number, offset: number): { r: number; shifted: number } {
  const { mantissa, ln2 } = FORMATS[m.dtype];
  const magic = m.const(1.5 * 2 ** mantissa + offset);
  const shifted = m.madd(x, m.const(Math.LOG2E), magic);
  const n = m.sub(shifted, magic);
  const r = m.nmadd(n, m.const(ln2[1]), m.nmadd(n, m.const(ln2[0]), x));
  return { r, shifted };
}

/** exp(r) - 1 for |r| at most ln 2 / 2. */
function expm1Reduced(m: Lanes, r: number): number {
  const square = m.mul(r, r);
  return m.madd(m.polynomial(r, square, FORMATS[m.dtype].q), square, r);
}

/** 2 to the power that `shifted` ends in, its offset being the bias. */
function powerOfTwo(m: Lanes, shifted: number): number {
  return m.fromBits(m.shift("shl", m.bitsOf(shifted), FORMATS[m.dtype].mantissa));
}

/**
 * 1 + x times 2 to the power that `shifted` ends in, its offset being twice the bias. In two steps, of which the first is exact: from 2^128
 * down to 2^-150 no single factor of the format reaches.
 */
function scaled(m: Lanes, x: number, shifted: number): number {
  const { mantissa } = FORMATS[m.dtype];
  const bits = m.bitsOf(shifted);
  const half = m.shift("shr_u", bits, 1);
  const first = m.fromBits(m.shift("shl", half, mantissa));
  const second = m.fromBits(m.shift("shl", m.integerSub(bits, half), mantissa));
  return m.mul(m.madd(x, first, first), second);
}
