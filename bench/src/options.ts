import { parseArgs } from "node:util";

export interface Options {
  /** Names of cases, or how they begin; all where there are none. */
  readonly only: readonly string[];
  /** Fewer rounds, shorter samples, fewer nodes and steps. */
  readonly quick: boolean;
  readonly rounds: number;
  /** Of the training steps, a round of which takes as long as five of all other cases. */
  readonly trainingRounds: number;
  /** The binary that everything runs on; null for the one that this is. */
  readonly node: string | null;
  /** What was not measured stays as it is in bench/results, with its date and commit. */
  readonly renew: boolean;
  /** Where the results go; null for bench/results after a full run, and else nowhere. */
  readonly out: string | null;
}

export const HELP = `Usage: pnpm bench [--only NAME]... [--quick] [--rounds N] [--training-rounds N] [--node PATH] [--renew | --out FOLDER]

  --only NAME   runs this case only, or those whose names begin so; may be given more than once
  --quick       fewer rounds, shorter samples, smaller memory cases; for a look, not for figures
  --rounds N    how many times every variant is measured (5; with --quick 2)
  --training-rounds N
                the same of the training steps, which take longest (as many as --rounds)
  --node PATH   runs on this binary of Node; 24 stands for the one of bench/node24
  --renew       puts what --only names into bench/results, and leaves the other cases there as they are
  --out FOLDER  writes the results there, those of a partial run, too
`;

/** Throws a TypeError or RangeError with one clear line for options that it does not know, or cases that there are not. */
export function parseOptions(args: readonly string[], names: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    // pnpm passes the separator on.
    args: args.filter((arg) => arg !== "--"),
    options: {
      only: { type: "string", multiple: true, default: [] },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      "training-rounds": { type: "string" },
      node: { type: "string" },
      renew: { type: "boolean", default: false },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const { only, quick, renew, help } = values;
  if (help) return "help";
  const unknown = only.find((start) => !names.some((name) => name.startsWith(start)));
  if (unknown !== undefined) throw new RangeError(`--only ${unknown}: there is no such case; there are ${names.join(", ")}`);
  if (renew && (quick || only.length === 0 || values.out !== undefined))
    throw new RangeError("--renew: goes with --only, and with neither --quick nor --out");
  const rounds = count("rounds", values.rounds) ?? (quick ? 2 : 5);
  const trainingRounds = count("training-rounds", values["training-rounds"]) ?? rounds;
  return { only, quick, rounds, trainingRounds, node: values.node ?? null, renew, out: values.out ?? null };
}

function count(option: string, given: string | undefined): number | null {
  if (given === undefined) return null;
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`--${option} ${given}: expected a whole number from 1`);
  return number;
}

/** Whether a case is to run: the one that is named, or where none is called just so, those whose names begin so. */
export function isSelected(name: string, { only }: Options, names: readonly string[]): boolean {
  return only.length === 0 || only.some((start) => (names.includes(start) ? name === start : name.startsWith(start)));
}
