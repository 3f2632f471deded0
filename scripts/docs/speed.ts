/** The README's tables of speed, taken from what `pnpm --filter bench start` wrote. */
import type { Variant } from "../../bench/src/cases.js";
import { disturbancesText, keptText, type Provenance, roundsText } from "../../bench/src/provenance.js";
import { TRAINING_VARIANTS, type TrainingVariant } from "../../bench/src/recurrent/cases.js";
import { bestPeer, figureOf, trainingRatio, type TrainingResult } from "../../bench/src/recurrent/results.js";
import { digits, duration } from "../../bench/src/report/cells.js";
import { median, ratio, type Results, type TimedResult } from "../../bench/src/results.js";
import { torchTargets } from "../../bench/src/recurrent/targets.js";
import { type Verdict, verdicts } from "../../bench/src/targets.js";

/** What the tables need of bench/results/latest.json. */
export type BenchResults = Pick<Results, "timed" | "training"> & Provenance & { readonly targets: readonly Verdict[] };

/** `other`: of the same machine, on the other version of Node. */
export function speedSection(results: BenchResults | null, other: BenchResults | null): string {
  if (results === null) return "`pnpm --filter bench start` writes the figures; it has not been run yet.\n";
  const { timed } = results;
  const runs = other === null ? [results] : [results, other];
  return [
    ...table(
      ["Scalars: ns a node, forward and backward", "@unroll/autograd", "raw columns", "by hand", "closures"],
      timed
        .filter(({ unit }) => unit === "node")
        .map((t) => [t.title, ...(["engine", "yardstick", "handwritten", "closures"] as const).map((v) => timeOf(t, v, digits))]),
    ),
    ...table(
      ["Compiled: time of a call, forward and backward", "compiled", "eager", "by hand"],
      timed
        .filter(({ unit }) => unit === "loss")
        .map((t) => [t.title, ...(["compiled", "engine", "handwritten"] as const).map((v) => timeOf(t, v, duration))]),
    ),
    ...table(
      ["Arrays: time of a call", "@unroll/autograd", "bare loop", "ratio", "with /compile imported"],
      timed
        .filter(({ unit }) => unit === "call")
        .map((t) => [
          t.title,
          timeOf(t, "engine", duration),
          timeOf(t, "loop", duration),
          ratioText(ratio(t, "engine", "loop")?.median),
          timeOf(t, "lent", duration),
        ]),
    ),
    ...trainingTable(runs),
    ...runs.flatMap((run) => [reachedText(run, runs.length > 1), "", ...heldText(run)]),
    ...runs.flatMap((run) => [provenanceText(run), ""]),
  ].join("\n");
}

/** The columns of one run after those of another. */
function trainingTable(runs: readonly BenchResults[]): string[] {
  const isHeld = runs.some(({ training }) => training.some(({ rounds }) => rounds.torchAvx2 !== undefined));
  const hasFloor = ({ training }: BenchResults): boolean => training.some(({ rounds }) => rounds.floor !== undefined);
  const heading = (run: BenchResults): string[] => [
    `over PyTorch's${isHeld ? " (held to AVX2)" : ""}, Node ${major(run.node)}`,
    ...(hasFloor(run) ? ["at the least"] : []),
    "the quickest other over ours",
  ];
  const ratios = (run: BenchResults, name: string): string[] => {
    const result = run.training.find((candidate) => candidate.name === name);
    const best = result === undefined ? null : bestPeer(result, "step");
    return [
      overTorch(result, "compiled"),
      ...(hasFloor(run) ? [overTorch(result, "floor")] : []),
      best === null ? "" : `${ofStep(result, best, "compiled")} (${nameOf(best)})`,
    ];
  };
  return table(
    ["Training step, float32", "compiled", ...runs.flatMap(heading)],
    (runs[0]?.training ?? []).map((result) => {
      const step = figureOf(result, "compiled", "step");
      return [result.title, step === null ? "" : duration(1e6 * step), ...runs.flatMap((run) => ratios(run, result.name))];
    }),
  );
}

/** Beside PyTorch with all that the processor has, and in brackets beside one that is held to AVX2. */
function overTorch(result: TrainingResult | undefined, variant: TrainingVariant): string {
  const held = ofStep(result, variant, "torchAvx2");
  return `${ofStep(result, variant, "torch")}${held === "" ? "" : ` (${held})`}`;
}

/** Without what the tables of the bench say beside it. */
function nameOf(variant: TrainingVariant): string {
  return TRAINING_VARIANTS[variant].replace(/[,(].*/, "").trim();
}

function ofStep(result: TrainingResult | undefined, variant: TrainingVariant, base: TrainingVariant): string {
  return result === undefined ? "" : ratioText(trainingRatio(result, variant, base, "step")?.median);
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(heading), line(heading.map((_, k) => (k === 0 ? "---" : "---:"))), ...rows.map(line), ""];
}

/** Says what was not reached; silence would be a claim. */
function reachedText({ targets, node }: BenchResults, named: boolean): string {
  const missed = targets.filter(({ reached }) => !reached);
  const on = named ? ` on Node ${major(node)}` : "";
  if (missed.length === 0) return `All ${targets.length} targets of the bench were reached${on}.`;
  const list = missed.map(
    ({ what, measured, bound, atLeast }) => `${what} (${digits(measured)}, target ${atLeast ? "at least " : ""}${bound})`,
  );
  return `${targets.length - missed.length} of ${targets.length} targets of the bench were reached${on}; not reached: ${list.join("; ")}.`;
}

/** How the targets against PyTorch would stand on a processor like the one where they were set. */
function heldText(run: BenchResults): string[] {
  const held = verdicts({ ...run, memory: [], startup: null, compiling: null }, torchTargets(run.node, "torchAvx2"));
  if (held.length === 0) return [];
  const missed = held
    .filter(({ reached }) => !reached)
    .map(({ what, measured, bound }) => `${what} (${digits(measured)}, target ${bound})`);
  const rest = missed.length === 0 ? "" : `; not reached: ${missed.join("; ")}`;
  return [
    `PyTorch's products use AVX-512 here; its targets were set where they use AVX2. Against PyTorch held to AVX2, ${held.length - missed.length} of ${held.length} are reached on Node ${major(run.node)}${rest}.`,
    "",
  ];
}

function provenanceText(run: BenchResults): string {
  const { date, node, torch, cpu, cores, commit } = run;
  return `Medians of ${roundsText(run)} at commit ${commit ?? "unknown"}, ${date.slice(0, 10)}: Node ${node}${torch === null ? "" : `, PyTorch ${torch}`}, ${cpu}, ${cores} cores.${disturbancesText(run)}${keptText(run)}`;
}

const major = (version: string): number => Number.parseInt(version);

const ratioText = (x: number | undefined): string => (x === undefined ? "" : digits(x));

function timeOf({ rounds }: TimedResult, variant: Variant, show: (ns: number) => string): string {
  const measured = rounds[variant];
  return measured === undefined || measured.length === 0 ? "" : show(median(measured.map(({ both }) => both)));
}
