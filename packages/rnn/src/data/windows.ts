/** What the network sees of a series: for each row that it forecasts, the rows before it. */
import { type Value, value } from "@unroll/autograd";
import { CALENDAR_DAYS, calendarDay } from "./calendar.js";
import { type Normalisation, normalise } from "./normalisation.js";
import type { Series } from "./series.js";
import type { RowRange } from "./split.js";

/** The rows of a series as the network sees them. */
export interface Features {
  /** How many numbers describe a row: 1, or 3 with dates. */
  readonly width: number;
  /** Row by row: the normalised value and, with dates, the sine and cosine of the time of year. */
  readonly rows: Float64Array;
}

export function featuresOf({ values, days }: Series, normalisation: Normalisation): Features {
  const normalised = normalise(values, normalisation);
  if (days === null) return { width: 1, rows: normalised };
  const rows = new Float64Array(3 * values.length);
  for (let i = 0; i < values.length; i++) {
    const angle = (2 * Math.PI * calendarDay(days[i]!)) / CALENDAR_DAYS;
    rows.set([normalised[i]!, Math.sin(angle), Math.cos(angle)], 3 * i);
  }
  return { width: 3, rows };
}

/** Forecasts of neighbouring rows as one batch. */
export interface Batch {
  /** [window, rows, features]: time first; the last step is the row before the one to forecast. */
  readonly inputs: Value;
  /** [rows]: the normalised values of the rows to forecast. */
  readonly targets: Value;
}

/** The rows of a part that have a whole window before them. Windows of validation and test reach back into the part before. */
export function forecastRows({ start, end }: RowRange, window: number): Int32Array {
  const first = Math.max(start, window);
  return Int32Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
}

/** The windows before the given rows, and the rows themselves as targets. */
export function batchOf(features: Features, rows: Int32Array, window: number): Batch {
  const { width } = features;
  const inputs = new Float64Array(window * rows.length * width);
  const targets = new Float64Array(rows.length);
  for (let b = 0; b < rows.length; b++) {
    const row = rows[b]!;
    targets[b] = features.rows[row * width]!;
    for (let t = 0; t < window; t++) {
      const from = (row - window + t) * width;
      inputs.set(features.rows.subarray(from, from + width), (t * rows.length + b) * width);
    }
  }
  return { inputs: value(inputs, { shape: [window, rows.length, width] }), targets: value(targets) };
}
