import { digits, duration, type Table } from "../report/cells.js";
import { median, type Ratio } from "../results.js";
import { TRAINING_VARIANTS, type TrainingVariant } from "./cases.js";
import { compileTime, type CompileMeasurement, type CompileResult } from "./compileTime.js";
import { LONGEST } from "./clock.js";
import { bestPeer, type Figure, figureOf, trainingRatio, type TrainingResult } from "./results.js";

const HEADING = [
  "",
  "process to first",
  "first step",
  "first 20",
  "later step",
  "to PyTorch",
  "over the rounds",
  "to the best other",
  "over the rounds",
];

/** A table for each kind of layer; medians over the rounds, and ratios of later steps. */
export function trainingTables(results: readonly TrainingResult[]): Table[] {
  return (["rnn", "lstm", "gru"] as const).map((kind) => ({
    title: `Training step, ${kind.toUpperCase()}, float32: medians; "the best other" is the quickest other JavaScript library`,
    heading: HEADING,
    rows: results.filter((result) => result.kind === kind).flatMap(rowsOf),
  }));
}

function rowsOf(result: TrainingResult): string[][] {
  const { title, rounds, absent } = result;
  const variants = Object.keys(TRAINING_VARIANTS) as TrainingVariant[];
  const best = bestPeer(result, "step");
  const rows = variants.flatMap((variant): string[][] => {
    if (rounds[variant] === undefined) {
      const why = absent[variant];
      return why === undefined ? [] : [spread(`  ${TRAINING_VARIANTS[variant]}: ${why}`)];
    }
    const times = (["whole", "first", "twenty", "step"] as const).map((figure) =>
      // It has no start that says anything.
      variant === "floor" && figure !== "step" ? "" : timeCell(result, variant, figure),
    );
    return [[`  ${TRAINING_VARIANTS[variant]}`, ...times, ...ratioCells(result, variant, "torch"), ...ratioCells(result, variant, best)]];
  });
  return [spread(title), ...rows];
}

function spread(text: string): string[] {
  return [text, ...HEADING.slice(1).map(() => "")];
}

function timeCell(result: TrainingResult, variant: TrainingVariant, figure: Figure): string {
  const ms = figureOf(result, variant, figure);
  return ms === null ? `over ${LONGEST / 1000} s` : duration(1e6 * ms);
}

function ratioCells(result: TrainingResult, variant: TrainingVariant, base: TrainingVariant | null): [string, string] {
  if (variant === base) return ["1", ""];
  const r: Ratio | null = base === null ? null : trainingRatio(result, variant, base, "step");
  return r === null ? ["", ""] : [digits(r.median), `${digits(r.low)} to ${digits(r.high)}`];
}

const CALLS: Readonly<Record<keyof CompileMeasurement, string>> = {
  fresh: "in a fresh process",
  warm: "a second network of equal size, warm",
  length: "the first network, another length",
};

export function compileTable(result: CompileResult | null): Table {
  return {
    title: "Compiling an LSTM's training step, 128 hidden units, batch 32, 64 steps (other length: 48): medians",
    heading: ["", "call to result", "a later step", "the difference"],
    rows: result === null ? [] : compileRows(result),
  };
}

function compileRows(result: CompileResult): string[][] {
  return (Object.keys(CALLS) as (keyof CompileMeasurement)[]).map((which) => {
    const of = (part: "call" | "step") => duration(1e6 * median(result.rounds.map((m) => m[which][part])));
    return [CALLS[which], of("call"), of("step"), duration(1e6 * compileTime(result, which))];
  });
}
