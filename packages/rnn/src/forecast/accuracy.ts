/** How far forecasts are from what came. */

export interface Accuracy {
  /** The mean absolute error, in the unit of the series. */
  readonly mae: number;
  /** The root of the mean squared error, in the unit of the series. */
  readonly rmse: number;
}

/** The errors of the forecasts of the given rows, one forecast for each. */
export function accuracyOf(forecasts: Float64Array, values: Float64Array, rows: Int32Array): Accuracy {
  let absolute = 0;
  let squared = 0;
  rows.forEach((row, i) => {
    const error = forecasts[i]! - values[row]!;
    absolute += Math.abs(error);
    squared += error ** 2;
  });
  return { mae: absolute / rows.length, rmse: Math.sqrt(squared / rows.length) };
}
