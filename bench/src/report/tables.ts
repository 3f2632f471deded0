import { type Variant, VARIANTS } from "../cases.js";
import { median, type MemoryResult, ratio, type Results, startupRatio, type TimedResult } from "../results.js";
import { compileTable, trainingTables } from "../recurrent/tables.js";
import { torchTargets } from "../recurrent/targets.js";
import { type Verdict, verdicts } from "../targets.js";
import { digits, duration, type Table } from "./cells.js";

/** What was measured, a table for each kind of case, and the targets last. */
export function tablesOf(results: Results): Table[] {
  const { timed, memory, startup, training, compiling } = results;
  const scalars = timed.filter(({ unit }) => unit === "node");
  const arrays = timed.filter(({ unit }) => unit === "call");
  const scans = timed.filter(({ unit }) => unit === "loss");
  const tables = [
    {
      title: "Scalars: ns a node, medians",
      heading: ["", "forward", "backward", "both", "to the yardstick", "over the rounds"],
      rows: scalars.flatMap(scalarRows),
    },
    {
      title: "Arrays: time of a call, medians",
      heading: ["", "time", "to the bare loop", "over the rounds"],
      rows: arrays.flatMap(arrayRows),
    },
    {
      title: "Scalar networks as a scan: time of a loss with its gradient, medians",
      heading: ["", "time", "to the one that has 1", "over the rounds"],
      rows: scans.flatMap(arrayRows),
    },
    ...trainingTables(training),
    compileTable(compiling),
    {
      title: "Memory: resident, MB",
      heading: ["", "peak", "first tenth of the steps", "all steps", "ns a node"],
      rows: memory.map(memoryRow),
    },
    {
      title: "Start of a process to its end: ms, medians",
      heading: ["", "time", "to the empty process", "over the rounds"],
      rows: startup === null ? [] : startupRows(startup),
    },
    verdictTable("Targets", verdicts(results)),
    verdictTable(
      "The targets against PyTorch, were it held to AVX2, as where they were set",
      verdicts(results, torchTargets(results.node, "torchAvx2")),
    ),
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

function variantsOf({ rounds }: TimedResult): Variant[] {
  return (Object.keys(VARIANTS) as Variant[]).filter((variant) => rounds[variant] !== undefined);
}

function scalarRows(result: TimedResult): string[][] {
  const rows = variantsOf(result).map((variant) => {
    const rounds = result.rounds[variant]!;
    const times = (["forward", "backward", "both"] as const).map((part) => digits(median(rounds.map((m) => m[part]))));
    return [`  ${VARIANTS[variant]}`, ...times, ...ratioCells(result, variant)];
  });
  const absent = Object.entries(result.absent).map(([variant, why]) => [`  ${VARIANTS[variant as Variant]}: ${why}`, "", "", "", "", ""]);
  return [[result.title, "", "", "", "", ""], ...rows, ...absent];
}

function arrayRows(result: TimedResult): string[][] {
  const rows = variantsOf(result).map((variant) => {
    const time = duration(median(result.rounds[variant]!.map((m) => m.both)));
    return [`  ${VARIANTS[variant]}`, time, ...ratioCells(result, variant)];
  });
  const absent = Object.entries(result.absent).map(([variant, why]) => [`  ${VARIANTS[variant as Variant]}: ${why}`, "", "", ""]);
  return [[result.title, "", "", ""], ...rows, ...absent];
}

function ratioCells(result: TimedResult, variant: Variant): [string, string] {
  if (variant === result.base) return ["1", ""];
  const r = ratio(result, variant, result.base);
  return r === null ? ["", ""] : [digits(r.median), `${digits(r.low)} to ${digits(r.high)}`];
}

function memoryRow({ title, peak, growth, perNode }: MemoryResult): string[] {
  const early = growth === null ? "" : digits(growth.early);
  const late = growth === null ? "" : digits(growth.late);
  return [title, digits(peak), early, late, perNode === null ? "" : digits(perNode)];
}

function startupRows(startup: NonNullable<Results["startup"]>): string[][] {
  const r = startupRatio(startup);
  return [
    ["empty Node process", digits(median(startup.empty)), "1", ""],
    ["first gradient", digits(median(startup.gradient)), digits(r.median), `${digits(r.low)} to ${digits(r.high)}`],
  ];
}

function verdictTable(title: string, all: readonly Verdict[]): Table {
  return { title, heading: ["", "measured", "target", ""], rows: all.map(verdictRow) };
}

function verdictRow({ what, unit, atLeast, bound, measured, reached }: Verdict): string[] {
  const suffix = unit === "times" ? "" : ` ${unit}`;
  return [
    what,
    `${digits(measured)}${suffix}`,
    `${atLeast ? "at least" : "at most"} ${bound}${suffix}`,
    reached ? "reached" : "NOT reached",
  ];
}
