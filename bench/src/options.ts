import { parseArgs } from "node:util";

export interface Options {
  /** Names of cases; all where there are none. */
  readonly only: readonly string[];
  /** Fewer rounds, shorter samples, fewer nodes and steps. */
  readonly quick: boolean;
  readonly rounds: number;
}

export const HELP = `Usage: pnpm bench [--only NAME]... [--quick] [--rounds N]

  --only NAME   runs this case only; may be given more than once
  --quick       fewer rounds, shorter samples, smaller memory cases; for a look, not for figures
  --rounds N    how many times every variant is measured (5; with --quick 2)
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
      help: { type: "boolean", default: false },
    },
  });
  const { only, quick, help } = values;
  if (help) return "help";
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new RangeError(`--only ${unknown}: there is no such case; there are ${names.join(", ")}`);
  const rounds = values.rounds === undefined ? (quick ? 2 : 5) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`--rounds ${values.rounds}: expected a whole number from 1`);
  return { only, quick, rounds };
}
