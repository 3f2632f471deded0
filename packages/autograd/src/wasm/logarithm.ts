import { exponential, FORMATS } from "./exponential.js";
import type { Lanes, LaneType } from "./lanes.js";

/** l of log(1 + f) = 2s + s z l(z) for s = f / (2 + f), z = s²; of scripts/minimax.py. */
const L: Record<LaneType, readonly number[]> = {
  float32: [0.6666677594184875, 0.39977580308914185, 0.29870960116386414],
  float64: [
    0.6666666666666734, 0.3999999999941656, 0.2857142874207421, 0.22222198597205353, 0.18183563426000543, 0.15314065881336597,
    0.14795864984744284,
  ],
};

/** Natural logarithm: x = 2^k (1 + f), with 1 + f between the root of 1/2 and that of 2. */
export function logarithm(m: Lanes, x: number): number {
  const { mantissa, bias } = FORMATS[m.dtype];
  const smallest = 2 ** (1 - bias);
  return m.scope(() => {
    const normal = m.copy(x);
    const offset = m.const(2 ** mantissa + bias);
    const usual = m.logicalAnd(m.ge(x, m.const(smallest)), m.lt(x, m.const(Infinity)));
    const unusual = m.anyFalse(usual);
    // Selections in place of the two branches, which are hardly ever taken, made log a quarter slower. Denormal numbers are brought into
    // the range of the others first.
    m.ifAny(unusual, () => {
      const denormal = m.lt(x, m.const(smallest));
      m.assign(normal, m.where(denormal, m.mul(x, m.const(2 ** (mantissa + 1))), x));
      m.assign(offset, m.where(denormal, m.add(offset, m.const(mantissa + 1)), offset));
    });
    const { exponent, fraction } = split(m, normal);
    const out = assemble(m, m.sub(fraction, m.const(1)), m.sub(exponent, offset));
    m.ifAny(unusual, () => m.assign(out, atTheEdges(m, x, out)));
    return out;
  });
}

/** log(1 + x): what rounding takes from 1 + x is added to f. */
export function logarithmOfOnePlus(m: Lanes, x: number): number {
  const { mantissa, bias } = FORMATS[m.dtype];
  return m.scope(() => {
    const one = m.const(1);
    const u = m.add(one, x);
    const { exponent, biased, fraction } = split(m, u);
    const k = m.sub(exponent, m.const(2 ** mantissa + bias));
    // 2^(1 - k), because 2^-k does not exist for the largest k: what is lost there does not count, and is multiplied by 0.
    const inverse = m.fromBits(m.shift("shl", m.integerSub(m.integer(2 * bias + 1), biased), mantissa));
    const lost = m.mul(lostBits(m, one, x, u), m.mul(inverse, m.const(0.5)));
    const f = m.add(lost, m.sub(fraction, one));
    const out = assemble(m, f, k);
    const zero = m.const(0);
    const usual = m.logicalAnd(m.logicalAnd(m.gt(u, zero), m.lt(u, m.const(Infinity))), m.ne(x, zero));
    // 0 is among the unusual because of the sign of -0.
    m.ifAny(m.anyFalse(usual), () => m.assign(out, m.where(m.eq(x, zero), x, atTheEdges(m, u, out))));
    return out;
  });
}

/** log(1 + exp(x)) = max(x, 0) + log(1 + e), for e = exp(-|x|). */
export function logarithmOfOnePlusExp(m: Lanes, x: number): number {
  return m.scope(() => {
    const one = m.const(1);
    const half = m.const(0.5);
    const negative = m.fromBits(m.bitwise("or", m.bitsOf(x), m.bitsOf(m.const(-0))));
    const e = exponential(m, negative, true);
    // 1 + e lies between 1 and 2: k is 0 or 1.
    const upper = m.gt(e, m.const(Math.SQRT2 - 1));
    const f = m.where(upper, m.mul(m.sub(e, one), half), e);
    const k = m.toNumber(upper);
    return m.add(m.atLeast(x, 0), assemble(m, f, k));
  });
}

/** x = 2^k times the fraction; `biased` is the integer k + bias, and `exponent` the number 2^mantissa + k + bias. */
function split(m: Lanes, x: number): { exponent: number; biased: number; fraction: number } {
  const { mantissa } = FORMATS[m.dtype];
  const root = bitsOfNumber(m.dtype, Math.SQRT1_2);
  const moved = m.integerAdd(m.bitsOf(x), m.integer(bitsOfNumber(m.dtype, 1) - root));
  const biased = m.shift("shr_u", moved, mantissa);
  const exponent = m.fromBits(m.bitwise("or", biased, m.integer(bitsOfNumber(m.dtype, 2 ** mantissa))));
  const last = m.bitwise("and", moved, m.integer((1n << BigInt(mantissa)) - 1n));
  return { exponent, biased, fraction: m.fromBits(m.integerAdd(last, m.integer(root))) };
}

/** log(1 + f) + k ln 2. The large terms are added last: f - (f²/2 - s (f²/2 + z l(z))) is what 2s + s z l(z) comes to. */
function assemble(m: Lanes, f: number, k: number): number {
  const { ln2 } = FORMATS[m.dtype];
  return m.scope(() => {
    const s = m.div(f, m.add(f, m.const(2)));
    const z = m.mul(s, s);
    const square = m.mul(m.mul(f, m.const(0.5)), f);
    const tail = m.madd(m.polynomial(z, m.mul(z, z), L[m.dtype]), z, square);
    const small = m.sub(m.madd(k, m.const(ln2[1]), m.mul(s, tail)), square);
    return m.madd(k, m.const(ln2[0]), m.add(small, f));
  });
}

/** -Infinity at 0, NaN below, Infinity and NaN as they are. */
function atTheEdges(m: Lanes, x: number, out: number): number {
  const zero = m.const(0);
  const ordinary = m.where(m.lt(x, m.const(Infinity)), out, x);
  return m.where(m.gt(x, zero), ordinary, m.where(m.eq(x, zero), m.const(-Infinity), m.const(NaN)));
}

/** What is missing in sum = a + b, exactly (Knuth). */
function lostBits(m: Lanes, a: number, b: number, sum: number): number {
  const fromB = m.sub(sum, a);
  return m.add(m.sub(a, m.sub(sum, fromB)), m.sub(b, fromB));
}

const scratch = new DataView(new ArrayBuffer(8));

function bitsOfNumber(dtype: LaneType, x: number): bigint {
  if (dtype === "float64") {
    scratch.setFloat64(0, x);
    return scratch.getBigInt64(0);
  }
  scratch.setFloat32(0, x);
  return BigInt(scratch.getInt32(0));
}
