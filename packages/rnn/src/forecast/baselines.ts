/** Forecasts that anyone could make without a network: what the network has to beat. Each sees the row before, and the training part. */
import { calendarDay } from "../data/calendar.js";
import { rowNoun, type Series } from "../data/series.js";
import type { RowRange, Split } from "../data/split.js";
import { accuracyOf } from "./accuracy.js";
import { climatology } from "./climatology.js";

export interface Baseline {
  readonly name: string;
  /** In a sentence, with the numbers that were fitted. */
  readonly description: string;
  /** The forecast of a row from the rows before it, in the unit of the series. */
  readonly forecast: (row: number) => number;
}

/** The half-widths among which the validation part chooses, in days. */
const HALF_WIDTHS = [0, 7, 15, 30];

/** The next row is as this one: persistence. */
export function persistence(series: Series): Baseline {
  const { values } = series;
  const noun = rowNoun(series);
  return {
    name: noun === "day" ? "tomorrow = today" : "next row = this row",
    description: `The value of the ${noun} before, unchanged (persistence)`,
    forecast: (row) => values[row - 1]!,
  };
}

/**
 * The usual value of the date, plus what is left of the anomaly of the row before (how far it was from the usual value of its own date):
 *
 *     forecast = usual(date) + a (value before - usual(date before))
 *
 * `usual` is a climatology of the training part, and `a` is fitted to the training part by least squares. How wide the climatology is
 * smoothed is chosen on the validation part, among 0 (the plain day-of-year mean), 7, 15 and 30 days to either side: a mean of two or
 * three years is noisy, and the plain one would be too easy to beat.
 */
function dampedAnomaly(series: Series & { days: Int32Array }, { training, validation }: Split): Baseline {
  const tuning = Int32Array.from({ length: validation.end - validation.start }, (_, i) => validation.start + i);
  const candidates = HALF_WIDTHS.map((halfWidth) => {
    const fitted = fitDampedAnomaly(series, training, halfWidth);
    return { fitted, rmse: accuracyOf(Float64Array.from(tuning, fitted.forecast), series.values, tuning).rmse };
  });
  return candidates.reduce((best, candidate) => (candidate.rmse < best.rmse ? candidate : best)).fitted;
}

/** The same with a given half-width, in days. */
export function fitDampedAnomaly(series: Series & { days: Int32Array }, { start, end }: RowRange, halfWidth: number): Baseline {
  const { values, days } = series;
  const usual = climatology(values.subarray(start, end), days.subarray(start, end), halfWidth);
  const anomalies = values.map((value, row) => value - usual[calendarDay(days[row]!)]!);
  let products = 0;
  let squares = 0;
  for (let row = start + 1; row < end; row++) {
    products += anomalies[row - 1]! * anomalies[row]!;
    squares += anomalies[row - 1]! ** 2;
  }
  const coefficient = squares === 0 ? 0 : products / squares;
  const width = halfWidth === 0 ? "of that date" : `from ${halfWidth} days before to ${halfWidth} days after that date`;
  return {
    name: "calendar mean + anomaly",
    description:
      `What is usual for the date (the mean of all values ${width}, in any year of the training part), plus ` +
      `${coefficient.toFixed(3)} times as much as the ${rowNoun(series)} before was above or below what is usual for its own date. The factor is fitted ` +
      "to the training part by least squares, the width of the mean is chosen on the validation part",
    forecast: (row) => usual[calendarDay(days[row]!)]! + coefficient * anomalies[row - 1]!,
  };
}

/** AR(1), for a series without dates: forecast = a + b (value before), fitted to the training part by least squares. */
export function firstOrder(series: Series, { start, end }: RowRange): Baseline {
  const { values } = series;
  const pairs = end - start - 1;
  const before = mean(values.subarray(start, end - 1));
  const after = mean(values.subarray(start + 1, end));
  let products = 0;
  let squares = 0;
  for (let row = start + 1; row <= start + pairs; row++) {
    products += (values[row - 1]! - before) * (values[row]! - after);
    squares += (values[row - 1]! - before) ** 2;
  }
  const slope = squares === 0 ? 0 : products / squares;
  const intercept = after - slope * before;
  return {
    name: "AR(1)",
    description: `The number ${intercept.toPrecision(4)} plus ${slope.toFixed(3)} times the value of the row before, fitted to the training part by least squares`,
    forecast: (row) => intercept + slope * values[row - 1]!,
  };
}

/** The two baselines of a series: persistence, and the damped anomaly where there are dates or AR(1) where there are none. */
export function baselinesOf(series: Series, split: Split): readonly [Baseline, Baseline] {
  const { days } = series;
  const second = days === null ? firstOrder(series, split.training) : dampedAnomaly({ ...series, days }, split);
  return [persistence(series), second];
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
