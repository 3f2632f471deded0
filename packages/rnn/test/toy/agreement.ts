import { expect } from "vitest";
import { PARAMETER_NAMES, type ToyGradient } from "../../src/toy/parameters.js";

/** |actual - expected| is at most `tolerance` of `scale`, which is a sum of absolute terms. */
export function expectWithin(actual: number, expected: number, tolerance: number, scale: number, what: string): void {
  const difference = Math.abs(actual - expected);
  expect(difference <= tolerance * scale, `${what}: ${actual} is ${difference} from ${expected}, on a scale of ${scale}`).toBe(true);
}

/** `expectWithin` for each of the four derivatives. */
export function expectGradient(actual: ToyGradient, expected: ToyGradient, tolerance: number, scale: ToyGradient, what: string): void {
  for (const name of PARAMETER_NAMES) expectWithin(actual[name], expected[name], tolerance, scale[name], `${what}, dE/d${name}`);
}

export function sumOfAbsolute(terms: ArrayLike<number>): number {
  return Array.from(terms).reduce((sum, term) => sum + Math.abs(term), 0);
}
