/** What the user asks for on the command line. */
import { resolve } from "node:path";
import { cac } from "cac";
import { DEFAULT_EPOCHS, DEFAULT_SEED } from "../forecast/settings.js";

/** A path as the user wrote it, for messages, and where it is. */
interface UserPath {
  readonly shown: string;
  readonly path: string;
}

export interface DemoOptions {
  /** The user's own data; null for the data that comes with the demo. */
  readonly own: { readonly data: UserPath; readonly column: string; readonly date: string | undefined } | null;
  readonly out: UserPath;
  readonly epochs: number;
  readonly seed: number;
}

/** A command line that cannot be carried out; the message is one line for the user. */
export class UsageError extends Error {
  override name = "UsageError";
}

const MOST_EPOCHS = 100_000;

const DESCRIPTION = `Compares ways to a gradient, then trains an LSTM to forecast the next day of a series, prints its errors on days that it has never
seen, next to two simple baselines, and writes a report as one HTML file. Without --data it takes the daily maximum temperature in Seattle.

Ctrl-C during training stops it after the current step; the report is still written, and the exit code is 0. A second Ctrl-C quits at once.
Exit codes: 0 done, 1 something went wrong, 2 bad arguments or bad data (one line says what; nothing is written).`;

/**
 * @param argv the arguments, without the program.
 * @param folder what relative paths are relative to.
 * @returns null where help was asked for, which is then printed.
 * @throws UsageError
 */
export function readOptions(argv: readonly string[], folder: string): DemoOptions | null {
  const cli = cac("pnpm demo");
  const command = cli
    .command("", "Forecast a series")
    .usage("[options]")
    .option("--data <file>", "CSV file with the series, oldest row first, names of the columns in the first row")
    .option("--column <name>", "Column to forecast (with --data)")
    .option("--date <name>", "Column with the date of each row, as 2015-01-31 (with --data)")
    .option("--out <file>", "Where to write the report (default: forecast-report.html)")
    .option("--epochs <number>", `Most passes over the training part (default: ${DEFAULT_EPOCHS})`)
    .option("--seed <number>", `Decides the first weights and the order of training (default: ${DEFAULT_SEED})`)
    .example("pnpm demo")
    .example("pnpm demo --data sales.csv --column sold --date day --out sales.html")
    .action(() => {});
  cli.help((sections) => [
    { body: DESCRIPTION },
    ...sections.filter(({ title }) => title === "Usage" || title === "Options" || title === "Examples"),
  ]);
  // pnpm passes a leading "--" on.
  const given = argv[0] === "--" ? argv.slice(1) : [...argv];
  let parsed: Record<string, unknown>;
  try {
    ({ options: parsed } = cli.parse(["node", "pnpm demo", ...given], { run: false }));
    if (parsed["help"] === true) return null;
    cli.runMatchedCommand();
  } catch (error) {
    throw new UsageError(inOneLine((error as Error).message));
  }
  if (command.cli.args.length > 0) throw new UsageError(`unexpected argument ${String(command.cli.args[0])}`);
  return checked(textsOf(parsed, given), folder);
}

type Texts = Readonly<Record<"data" | "column" | "date" | "out" | "epochs" | "seed", string | undefined>>;

/** The values of the options exactly as they were written: the parser makes numbers of what looks like one, and `007` is a fine name. */
function textsOf(parsed: Record<string, unknown>, argv: readonly string[]): Texts {
  const textOf = (name: keyof Texts): string | undefined => {
    const value = parsed[name];
    if (value === undefined) return undefined;
    if (Array.isArray(value)) throw new UsageError(`--${name} is given more than once`);
    const flag = `--${name}`;
    const at = argv.findIndex((argument) => argument === flag || argument.startsWith(`${flag}=`));
    const text = argv[at] === flag ? argv[at + 1] : argv[at]?.slice(flag.length + 1);
    if (text === undefined || text === "") throw new UsageError(`${flag} needs a value`);
    return text;
  };
  return {
    data: textOf("data"),
    column: textOf("column"),
    date: textOf("date"),
    out: textOf("out"),
    epochs: textOf("epochs"),
    seed: textOf("seed"),
  };
}

function checked({ data, column, date, out = "forecast-report.html", epochs, seed }: Texts, folder: string): DemoOptions {
  const at = (shown: string): UserPath => ({ shown, path: resolve(folder, shown) });
  if (data === undefined && (column !== undefined || date !== undefined)) {
    throw new UsageError(`--${column === undefined ? "date" : "column"} goes with --data; without it the demo takes the built-in data`);
  }
  if (data !== undefined && column === undefined) throw new UsageError("--data needs --column, the name of the column to forecast");
  if (data !== undefined && at(out).path === at(data).path) throw new UsageError("--out is the same file as --data, which would be lost");
  return {
    own: data === undefined ? null : { data: at(data), column: column!, date },
    out: at(out),
    epochs: wholeNumber("epochs", epochs, DEFAULT_EPOCHS, 1, MOST_EPOCHS),
    seed: wholeNumber("seed", seed, DEFAULT_SEED, 0, Number.MAX_SAFE_INTEGER),
  };
}

function wholeNumber(name: string, text: string | undefined, otherwise: number, least: number, most: number): number {
  if (text === undefined) return otherwise;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, got ${inOneLine(text)}`);
}

function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
