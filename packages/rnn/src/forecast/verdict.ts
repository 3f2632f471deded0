/** What came out, in words and numbers that both the terminal and the report show. */
import { formatDay } from "../data/calendar.js";
import { rowNoun, type Series } from "../data/series.js";
import type { RowRange } from "../data/split.js";
import type { ForecastResult, JudgedMethod } from "./run.js";

/** A number with four significant digits. */
export function formatNumber(number: number): string {
  return number.toLocaleString("en", { minimumSignificantDigits: 4, maximumSignificantDigits: 4, useGrouping: false });
}

/** A measured number with its unit, where it has one. */
export function inUnit(number: number, { unit }: Series): string {
  return unit === "" ? formatNumber(number) : `${formatNumber(number)} ${unit}`;
}

/** `365 days, 2015-01-01 to 2015-12-31`, or `40 rows, 161 to 200` (counted from 1, without the row of names). */
export function describeRows(series: Series, { start, end }: RowRange): string {
  const { days } = series;
  const count = `${end - start} ${rowNoun(series)}${end - start === 1 ? "" : "s"}`;
  if (days === null) return `${count}, ${start + 1} to ${end}`;
  return `${count}, ${formatDay(days[start]!)} to ${formatDay(days[end - 1]!)}`;
}

/**
 * Whether the network beats a baseline on the test rows, plainly: it does where its root mean squared error, which is what it was trained
 * to make small, is smaller.
 */
export function verdictOn(baseline: JudgedMethod, { network, series, testRows }: ForecastResult): string {
  const beaten = network.test.rmse < baseline.test.rmse;
  const errors = `its typical error (RMSE) is ${inUnit(network.test.rmse, series)}, against ${inUnit(baseline.test.rmse, series)}`;
  const change = percent(Math.abs(network.test.rmse / baseline.test.rmse - 1));
  const absolute = network.test.mae < baseline.test.mae;
  const closer = closerOn(network, baseline, series.values, testRows);
  return [
    beaten ? `The network beats “${baseline.name}”: ${errors}, ${change} less` : `The network does NOT beat “${baseline.name}”: ${errors}`,
    absolute === beaten ? "" : `; by mean absolute error it ${absolute ? "does" : "does not"}`,
    `. It was closer to the truth on ${closer} of ${testRows.length} ${rowNoun(series)}s.`,
  ].join("");
}

/** On how many rows the network's error was smaller than the baseline's. */
function closerOn(network: JudgedMethod, baseline: JudgedMethod, values: Float64Array, rows: Int32Array): number {
  let count = 0;
  rows.forEach((row, i) => {
    if (Math.abs(network.forecasts[i]! - values[row]!) < Math.abs(baseline.forecasts[i]! - values[row]!)) count++;
  });
  return count;
}

/** How training went, in a sentence or two. */
export function describeTraining({ history, epochs, settings, trainingSeconds }: ForecastResult): string {
  const made = history.epochs.length;
  const why = {
    "all epochs": `all ${epochs} epochs were made`,
    "no improvement": `stopped after epoch ${made}, when ${settings.patience} epochs in a row had brought no better validation error`,
    interrupted: `STOPPED EARLY BY THE USER in epoch ${made} of ${epochs}`,
  }[history.ended];
  return (
    `Training took ${trainingSeconds.toFixed(1)} s and ${history.steps} steps; ${why}. ` +
    `The weights of epoch ${history.bestEpoch} were kept: the ones with the smallest validation error.`
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
