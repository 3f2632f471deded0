import { expm1OfModerate, exponential } from "./exponential.js";
import type { Lanes } from "./lanes.js";

/** Above it tanh rounds to 1. */
const SATURATED = { float32: 10, float64: 20 };

/** tanh |x| = t / (t + 2) for t = exp(2 |x|) - 1; the sign is put back. */
export function hyperbolicTangent(m: Lanes, x: number): number {
  return m.scope(() => {
    const magnitude = m.atMost(m.abs(x), SATURATED[m.dtype]);
    const t = expm1OfModerate(m, m.add(magnitude, magnitude));
    const out = m.div(t, m.add(t, m.const(2)));
    const sign = m.bitwise("and", m.bitsOf(x), m.bitsOf(m.const(-0)));
    return m.fromBits(m.bitwise("or", m.bitsOf(out), sign));
  });
}

/** 1 / (1 + e) above 0, e / (1 + e) below, for e = exp(-|x|): exp(-x) would overflow where the result is still a denormal number. */
export function logistic(m: Lanes, x: number): number {
  return m.scope(() => {
    const one = m.const(1);
    const e = exponential(m, m.neg(m.abs(x)), true);
    const numerator = m.where(m.lt(x, m.const(0)), e, one);
    return m.div(numerator, m.add(one, e));
  });
}
