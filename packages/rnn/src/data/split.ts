/** Which rows a forecast learns from, which it is tuned on, and which it is judged by. */
import { yearOf } from "./calendar.js";
import { DataError } from "./dataError.js";
import type { Series } from "./series.js";

/** Rows `start` to `end`, the latter not included. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** Three parts in order of time, next to each other: what is learnt from lies before what is tuned on, and that before the test. */
export interface Split {
  readonly training: RowRange;
  readonly validation: RowRange;
  readonly test: RowRange;
  /** "years": cut at turns of the year; "fractions": 70 %, 15 % and 15 % of the rows. */
  readonly by: "years" | "fractions";
}

const TRAINING_SHARE = 0.7;
const VALIDATION_SHARE = 0.15;

/** How full a calendar year must be, compared with the fullest, to count as a whole one. */
const WHOLE_YEAR = 0.9;

/**
 * Splits a series in order of time. With dates and at least three whole calendar years: the last whole year (and what follows it) is the
 * test, the year before it the validation, all before that the training part. Otherwise by fractions of the rows.
 *
 * @param window how many rows the network sees before the one it forecasts; the training part holds at least two such forecasts.
 * @throws DataError where the series is too short for that.
 */
export function splitSeries(series: Series, window: number): Split {
  const byYears = splitByYears(series);
  if (byYears !== null && longEnough(byYears, window)) return byYears;
  const rows = series.values.length;
  const byFractions = splitByFractions(rows);
  if (longEnough(byFractions, window)) return byFractions;
  let needed = rows + 1;
  while (!longEnough(splitByFractions(needed), window)) needed++;
  throw new DataError(
    `${series.file} has ${rows} ${rows === 1 ? "row" : "rows"}; at least ${needed} are needed: the forecast of a row looks at the ` +
      `${window} rows before it, and 30 % of the rows are set aside for validation and test`,
  );
}

function longEnough({ training, validation, test }: Split, window: number): boolean {
  return training.end - training.start >= window + 2 && validation.end > validation.start && test.end > test.start;
}

function splitByFractions(rows: number): Split {
  const trainingEnd = Math.floor(rows * TRAINING_SHARE);
  const validationEnd = trainingEnd + Math.floor(rows * VALIDATION_SHARE);
  return splitAt(trainingEnd, validationEnd, rows, "fractions");
}

/** Null where there are no dates, or less than three whole years. */
function splitByYears({ days }: Series): Split | null {
  if (days === null) return null;
  const years = wholeYears(days);
  if (years.length < 3) return null;
  const [validationYear, testYear] = years.slice(-2) as [number, number];
  const firstOf = (year: number): number => days.findIndex((day) => yearOf(day) >= year);
  return splitAt(firstOf(validationYear), firstOf(testYear), days.length, "years");
}

function splitAt(trainingEnd: number, validationEnd: number, rows: number, by: Split["by"]): Split {
  return {
    training: { start: 0, end: trainingEnd },
    validation: { start: trainingEnd, end: validationEnd },
    test: { start: validationEnd, end: rows },
    by,
  };
}

function wholeYears(days: Int32Array): number[] {
  const rowsIn = new Map<number, number>();
  for (const day of days) rowsIn.set(yearOf(day), (rowsIn.get(yearOf(day)) ?? 0) + 1);
  const fullest = Math.max(...rowsIn.values());
  return [...rowsIn].filter(([, rows]) => rows >= WHOLE_YEAR * fullest).map(([year]) => year);
}
