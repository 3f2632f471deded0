/** Puts values on a scale on which a network learns well: mean 0 and standard deviation 1 over the training part. */
import { DataError } from "./dataError.js";
import type { Series } from "./series.js";
import type { RowRange } from "./split.js";

export interface Normalisation {
  /** In the unit of the series. */
  readonly mean: number;
  /** The standard deviation, in the unit of the series; 1 where all training values are equal. */
  readonly scale: number;
}

/**
 * Mean and standard deviation of the training part; no other row has any influence.
 *
 * @throws DataError where the values are so large that their squares are not finite.
 */
export function normalisationOf(series: Series, training: RowRange): Normalisation {
  const values = series.values.subarray(training.start, training.end);
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const scale = Math.sqrt(squares / values.length);
  if (Number.isFinite(scale)) return { mean, scale: scale === 0 ? 1 : scale };
  throw new DataError(`${series.file}, column ${series.name}: the values are too large to compute with; give them in a larger unit`);
}

export function normalise(values: Float64Array, { mean, scale }: Normalisation): Float64Array {
  return values.map((value) => (value - mean) / scale);
}
