/** What one process times. */
export interface Workload {
  /** Computes the loss (or the array), as many times as the case says. */
  forward(): void;
  /** Clears the gradients and computes them anew; absent where the case has no backward pass. */
  backward?(): void;
  /** What the last calls computed: the loss and then the gradients, or the elements of the array. */
  results(): ArrayLike<number>;
}

/** What a workload's results are held against. */
export interface Reference {
  readonly values: ArrayLike<number>;
  /** The sum of the absolute terms that each value is a sum of, or what else its error is measured by. */
  readonly scales: ArrayLike<number>;
}

const TOLERANCE = 1e-9;

/** Says where results differ from the reference by more than so much (1e-9) of their scale; null where they agree. */
export function disagreement(results: ArrayLike<number>, { values, scales }: Reference, tolerance = TOLERANCE): string | null {
  if (results.length !== values.length) return `${results.length} results, expected ${values.length}`;
  for (let k = 0; k < values.length; k++) {
    const [result, expected, scale] = [results[k]!, values[k]!, scales[k]!];
    // Written so that NaN disagrees.
    if (!(Math.abs(result - expected) <= tolerance * scale)) {
      return `result ${k} is ${result}, expected ${expected} within ${tolerance} of ${scale}`;
    }
  }
  return null;
}
