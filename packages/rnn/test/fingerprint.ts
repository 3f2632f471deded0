import type { Value } from "@unroll/autograd";
import { draw } from "./draws.js";

/** What references/fingerprint.py keeps of an array. */
export type Fingerprint = readonly [
  shape: readonly number[],
  largest: number,
  sum: number,
  absoluteTerms: number,
  samples: readonly number[],
];

/** Of what an element may be off, relative to the largest, and the weighted sum, relative to its absolute terms. */
const TOLERANCE = 1e-10;

/** What differs between an array and the fingerprint of the reference, in words; none where they agree. */
export function differences(what: string, x: Value, [shape, largest, sum, absoluteTerms, samples]: Fingerprint): string[] {
  if (x.shape.join() !== shape.join()) return [`${what}: shape [${x.shape.join()}], expected [${shape.join()}]`];
  const weights = draw("fingerprint", [x.size]).data;
  const total = Array.from<number>(x.data).reduce((a, e, k) => a + e * weights[k]!, 0);
  const wrongSum = Math.abs(total - sum) <= TOLERANCE * absoluteTerms ? [] : [`${what}: weighted sum ${total}, expected ${sum}`];
  const wrong = samples.flatMap((expected, k) => {
    const place = Math.floor((x.size * (2 * k + 1)) / (2 * samples.length));
    const got = x.data[place]!;
    return Math.abs(got - expected) <= TOLERANCE * largest ? [] : [`${what}: element ${place} is ${got}, expected ${expected}`];
  });
  return [...wrongSum, ...wrong];
}
