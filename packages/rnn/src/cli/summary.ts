/** What the terminal shows at the end. */
import type { ForecastResult } from "../forecast/run.js";
import { describeRows, describeTraining, formatNumber, verdictOn } from "../forecast/verdict.js";

export function summaryOf(result: ForecastResult): string {
  const { series, split, network, baselines } = result;
  const unit = series.unit === "" ? "" : ` ${series.unit}`;
  const rows = [network, ...baselines].map(({ name, test }) => [name, formatNumber(test.mae), formatNumber(test.rmse)]);
  return [
    describeTraining(result),
    "",
    `Test: ${describeRows(series, split.test)}`,
    "",
    aligned([["error on the test part", `MAE${unit}`, `RMSE${unit}`], ...rows]),
    "",
    ...baselines.map((baseline) => verdictOn(baseline, result)),
  ].join("\n");
}

/** Titles to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows
    .map((cells) => cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "))
    .join("\n");
}
