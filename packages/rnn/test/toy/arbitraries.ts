import fc from "fast-check";
import type { ToyParameters } from "../../src/toy/parameters.js";

export interface RandomCase {
  readonly parameters: ToyParameters;
  readonly inputs: readonly number[];
  readonly targets: readonly number[];
}

/** Hundredths: a parameter is zero or not tiny, so that no derivative drowns in the rounding of a forward pass. */
const hundredths = (bound: number) => fc.integer({ min: -100 * bound, max: 100 * bound }).map((n) => n / 100);

/** Small enough that |z| stays below 8, where y (1 - y) still has 12 digits. */
const parameters = fc.record({ u: hundredths(2), v: hundredths(2), w: hundredths(3), s: hundredths(1) });

const pair = fc.tuple(hundredths(2), hundredths(2));

/** A network and a sequence of 1 to `steps` training pairs, short ones as often as long ones. */
export function randomCase(steps: number): fc.Arbitrary<RandomCase> {
  const lengths = [3, 50, steps].filter((length) => length <= steps);
  const pairs = fc.oneof(...lengths.map((maxLength) => fc.array(pair, { minLength: 1, maxLength, size: "max" })));
  return fc.record({ parameters, pairs }).map((drawn) => ({
    parameters: drawn.parameters,
    inputs: drawn.pairs.map(([input]) => input),
    targets: drawn.pairs.map(([, target]) => target),
  }));
}
