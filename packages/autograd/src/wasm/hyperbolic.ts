import { expm1OfModerate, expOverPower, FORMATS } from "./exponential.js";
import type { Lanes } from "./lanes.js";

/** Above it tanh rounds to 1; above three times it, the logistic function does. */
const SATURATED = { float32: 10, float64: 20 };

/** tanh |x| = t / (t + 2) for t = exp(2 |x|) - 1; the sign is put back. */
export function hyperbolicTangent(m: Lanes, x: number): number {
  return m.scope(() => {
    const bits = m.bitsOf(x);
    const sign = m.bitwise("and", bits, m.bitsOf(m.const(-0)));
    const magnitude = m.atMost(m.fromBits(m.bitwise("xor", bits, sign)), SATURATED[m.dtype]);
    const t = expm1OfModerate(m, m.add(magnitude, magnitude));
    const out = m.div(t, m.add(t, m.const(2)));
    return m.fromBits(m.bitwise("or", m.bitsOf(out), sign));
  });
}

/**
 * 1 / (1 + exp(-x)), both sides of the division by 2^half: exp(-x) alone would overflow where the result is still a denormal number.
 */
export function logistic(m: Lanes, x: number): number {
  const { bias, lowest } = FORMATS[m.dtype];
  const half = (bias + 1) / 2;
  return m.scope(() => {
    const one = m.const(2 ** -half);
    const clamped = m.atMost(m.atLeast(x, lowest - 1), 3 * SATURATED[m.dtype]);
    return m.div(one, m.add(one, expOverPower(m, m.neg(clamped), half)));
  });
}
