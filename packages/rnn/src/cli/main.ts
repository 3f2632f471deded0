/** What the demo does: a comparison of gradients, a real forecast, a report. */
import { type Series, rowNoun } from "../data/series.js";
import { DataError } from "../data/dataError.js";
import { readSeries } from "../data/csv.js";
import { readSeattle, SEATTLE_SOURCE } from "../data/seattle.js";
import { type ForecastResult, type PreparedSeries, prepareSeries, runForecast } from "../forecast/run.js";
import { describeRows } from "../forecast/verdict.js";
import { readAssets } from "../report/assets.js";
import { reportPage } from "../report/page.js";
import type { ReportSource } from "../report/source.js";
import { checkWritable, writeWhole } from "../report/write.js";
import { compareGradients } from "../toy/comparison.js";
import { formatComparison } from "../toy/comparisonTable.js";
import { interruptible } from "./interruption.js";
import { type DemoOptions, readOptions, UsageError } from "./options.js";
import { progressDisplay } from "./progress.js";
import { summaryOf } from "./summary.js";

/** The network on which the ways to a gradient are compared. */
const TOY = { parameters: { u: 0.7, v: -0.4, w: 1.3, s: 0.25 }, inputs: [0.5, -1, 2], targets: [-1, 2, 0.1] };

/** Where the demo shows things: results to `out`, progress and errors to `err`. */
export interface Terminal {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/**
 * Runs the demo.
 *
 * @param argv the arguments, without the program.
 * @param folder what relative paths are relative to.
 * @returns the exit code: 0, or 2 where arguments or data are at fault (one line on `err` says how), or 1 for anything else.
 */
export async function runDemo(argv: readonly string[], folder: string, terminal: Terminal): Promise<number> {
  try {
    const options = readOptions(argv, folder);
    if (options !== null) await demo(options, terminal);
    return 0;
  } catch (error) {
    return exitCodeFor(error, terminal);
  }
}

async function demo(options: DemoOptions, terminal: Terminal): Promise<void> {
  const print = (text: string) => terminal.out.write(`${text}\n`);

  const { series, source } = await readData(options);
  await checkWritable(options.out.path, options.out.shown);
  // Says what is wrong with the data before anything is printed.
  const prepared = prepareSeries(series);

  const comparison = compareGradients(TOY.parameters, TOY.inputs, TOY.targets);
  print(`${formatComparison(comparison)}\n`);
  print(`${source.title}: training on ${describeRows(series, prepared.split.training)}. Ctrl-C stops early.`);
  const result = await train(prepared, options, terminal);
  print(`\n${summaryOf(result)}\n`);

  await writeWhole(options.out.path, reportPage(result, comparison, source, await readAssets()));
  print(`Report: ${options.out.shown}`);
}

async function readData({ own }: DemoOptions): Promise<{ series: Series; source: ReportSource }> {
  if (own === null) {
    const title = "Tomorrow's maximum temperature in Seattle, forecast by an LSTM";
    return { series: await readSeattle(), source: { ...SEATTLE_SOURCE, title, quantity: "maximum temperature" } };
  }
  const { column, data, date } = own;
  const series = await readSeries(data.path, { column, date, shownAs: data.shown });
  const source = {
    title: `The next ${rowNoun(series)}'s ${column}, forecast by an LSTM`,
    quantity: column,
    description: `Column ${column} of ${data.shown}, ${series.values.length} rows`,
    origin: "the user's own file",
    licence: null,
  };
  return { series, source };
}

function train(prepared: PreparedSeries, { epochs, seed }: DemoOptions, { err }: Terminal): Promise<ForecastResult> {
  const progress = progressDisplay(prepared.series, err);
  const stopping = () => err.write("\nStopping after this step; press Ctrl-C again to quit without a report.\n");
  return interruptible(async (signal) => {
    try {
      return await runForecast(prepared, { epochs, seed, signal, onStep: progress.show });
    } finally {
      progress.end();
    }
  }, stopping);
}

/** One line for what the user can mend; everything else is a fault of the program and shows where it came from. */
function exitCodeFor(error: unknown, { err }: Terminal): number {
  if (error instanceof DataError || error instanceof UsageError) {
    const help = error instanceof UsageError ? " (--help shows all options)" : "";
    err.write(`demo: ${error.message}${help}\n`);
    return 2;
  }
  err.write(`demo: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}
