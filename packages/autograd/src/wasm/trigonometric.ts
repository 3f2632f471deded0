import type { Lanes, LaneType } from "./lanes.js";

/** π in parts of 33 bits, whose multiples by numbers of 20 bits are exact, and the rest; of scripts/minimax.py. */
const PI = [3.1415926534682512, 1.2154201012607932e-10, 4.044532497422333e-21, 1.69568553207378e-31] as const;
/** For operands of float32 two parts are enough. */
const PI_SHORT = [PI[0], 1.2154201013012384e-10] as const;

/** Beyond it a multiple of π that is taken away may have more than 20 bits: such elements go to the fallback. */
export const REDUCIBLE = 2 ** 20;

/** s of sin(r) = r + r z s(z) for z = r², |r| at most π / 2; of scripts/minimax.py. */
const S: Record<LaneType, readonly number[]> = {
  float32: [-0.16666659712791443, 0.008333069272339344, -0.00019809776858892292, 2.606095677037956e-6],
  float64: [
    -0.16666666666666666, 0.008333333333333207, -0.0001984126984121248, 2.7557319211569482e-6, -2.5052106904422803e-8,
    1.6058941002304108e-10, -7.643019372987305e-13, 2.7214196098278004e-15,
  ],
};

/** 1.5 times 2^52: added to a float64 it rounds to a whole number, and leaves that in the last bits. */
const MAGIC = 1.5 * 2 ** 52;

/** Sine of |x| at most REDUCIBLE: x = n π + r, and the sign changes with every n. */
export function sineOfReducible(m: Lanes, x: number): number {
  return m.scope(() => {
    const out = reduced(m, x, (w, wide) => {
      const shifted = w.madd(wide, w.const(1 / Math.PI), w.const(MAGIC));
      return { shifted, multiple: w.sub(shifted, w.const(MAGIC)) };
    });
    // The sum in which the sine ends loses the sign of -0.
    return m.where(m.eq(x, m.const(0)), x, out);
  });
}

/** Cosine of |x| at most REDUCIBLE: x = (n + 1/2) π + r, and the sine of r is negated at even n, so that n + 1 goes into the last bits. */
export function cosineOfReducible(m: Lanes, x: number): number {
  return reduced(m, x, (w, wide) => {
    const half = w.const(0.5);
    const shifted = w.add(w.sub(w.mul(wide, w.const(1 / Math.PI)), half), w.const(MAGIC + 1));
    return { shifted, multiple: w.add(w.sub(shifted, w.const(MAGIC + 1)), half) };
  });
}

/** Takes a multiple of π from x, in float64 whatever x is, and gives the sine of the rest, negated where `shifted` is odd. */
function reduced(m: Lanes, x: number, nearest: (w: Lanes, wide: number) => { shifted: number; multiple: number }): number {
  if (m.dtype === "float64") {
    return m.scope(() => {
      const { shifted, multiple } = nearest(m, x);
      return sineOf(m, takeAway(m, x, multiple, PI), m.bitsOf(shifted));
    });
  }
  const w = m.wide;
  return m.scope(() =>
    w.scope(() => {
      const parts = m.widen(x).map((wide) =>
        w.scope(() => {
          const { shifted, multiple } = nearest(w, wide);
          return [takeAway(w, wide, multiple, PI_SHORT), shifted];
        }),
      );
      const r = m.narrow(parts.map(([rest]) => rest!));
      return sineOf(m, r, m.lowWords(parts.map(([, shifted]) => shifted!)));
    }),
  );
}

function takeAway(w: Lanes, x: number, multiple: number, pi: readonly number[]): number {
  return pi.reduce((rest, part) => w.nmadd(multiple, w.const(part), rest), x);
}

/** Sine of r, negated where the integer is odd. */
function sineOf(m: Lanes, r: number, integer: number): number {
  const z = m.mul(r, r);
  const sum = m.madd(m.mul(m.polynomial(z, m.mul(z, z), S[m.dtype]), z), r, r);
  // Rounding must not take it above 1: callers take roots of 1 - sin².
  const sine = m.atMost(m.atLeast(sum, -1), 1);
  const sign = m.shift("shl", integer, m.dtype === "float32" ? 31 : 63);
  return m.fromBits(m.bitwise("xor", m.bitsOf(sine), sign));
}
