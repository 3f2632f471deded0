import type { Value } from "../../src/index.js";

/** How many units in the last place of its scale a result may be off. */
export const ROUNDING = 64;
export const EPSILON = { float64: 2 ** -52, float32: 2 ** -23 } as const;

/** What is wrong with a number, or null: NaN where NaN is due, infinities exactly, everything else within `allowed`. */
export function disagreement(got: number, expected: number, allowed: number): string | null {
  const same = Number.isFinite(expected) ? Math.abs(got - expected) <= allowed : Object.is(got, expected);
  return same ? null : `expected ${String(expected)}, got ${String(got)} (allowed ${allowed.toExponential(1)})`;
}

/** As `disagreement`, and the sign of zero counts. */
export function inexactness(got: number, expected: number, allowed: number): string | null {
  if (expected === 0 && !Object.is(got, expected)) return `expected ${printed(expected)}, got ${printed(got)}`;
  return disagreement(got, expected, allowed);
}

function printed(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

interface Expected {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * Everything that is wrong with an array, one line an element. The error of an element is measured against the largest element and
 * `scale`: an element may be a sum that cancels.
 */
export function disagreements(label: string, got: Value, expected: Expected, relative = ROUNDING * EPSILON.float64, scale = 1): string[] {
  if (got.shape.join() !== expected.shape.join())
    return [`${label}: expected shape [${expected.shape.join(", ")}], got [${got.shape.join(", ")}]`];
  const numbers = Array.from(expected.data);
  const allowed = relative * Math.max(scale, ...numbers.filter(Number.isFinite).map(Math.abs));
  return numbers.flatMap((x, k) => {
    const wrong = disagreement(got.data[k] as number, x, allowed);
    return wrong === null ? [] : [`${label}[${k}]: ${wrong}`];
  });
}
