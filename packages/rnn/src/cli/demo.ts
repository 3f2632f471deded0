/** The demo: a comparison of gradients, a real forecast, a report. `pnpm demo --help` says how to call it. */
import { type Series, rowNoun } from "../data/series.js";
import { DataError } from "../data/dataError.js";
import { readSeries } from "../data/csv.js";
import { readSeattle, SEATTLE_SOURCE } from "../data/seattle.js";
import { splitSeries } from "../data/split.js";
import { type ForecastResult, runForecast } from "../forecast/run.js";
import { NETWORK_SETTINGS } from "../forecast/settings.js";
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

async function demo(options: DemoOptions): Promise<void> {
  const { series, source } = await readData(options);
  await checkWritable(options.out.path, options.out.shown);
  // Says what is wrong with the data before anything is printed.
  const split = splitSeries(series, NETWORK_SETTINGS.window);

  const comparison = compareGradients(TOY.parameters, TOY.inputs, TOY.targets);
  print(`${formatComparison(comparison)}\n`);
  print(`${source.title}: training on ${describeRows(series, split.training)}. Ctrl-C stops early.`);
  const result = await train(series, options);
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

function train(series: Series, { epochs, seed }: DemoOptions): Promise<ForecastResult> {
  const progress = progressDisplay(series, process.stderr);
  const stopping = () => process.stderr.write("\nStopping after this step; press Ctrl-C again to quit without a report.\n");
  return interruptible(async (signal) => {
    try {
      return await runForecast(series, { epochs, seed, signal, onStep: progress.show });
    } finally {
      progress.end();
    }
  }, stopping);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One line for what the user can mend; everything else is a fault of the program and shows where it came from. */
function exitCodeFor(error: unknown): number {
  if (error instanceof DataError || error instanceof UsageError) {
    const help = error instanceof UsageError ? " (--help shows all options)" : "";
    process.stderr.write(`demo: ${error.message}${help}\n`);
    return 2;
  }
  process.stderr.write(`demo: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

async function main(): Promise<void> {
  try {
    // pnpm runs the demo in the root of the workspace, and says in INIT_CWD where the user is.
    const options = readOptions(process.argv.slice(2), process.env["INIT_CWD"] ?? process.cwd());
    if (options !== null) await demo(options);
  } catch (error) {
    process.exitCode = exitCodeFor(error);
  }
}

await main();
