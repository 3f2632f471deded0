import type { Variant } from "./cases.js";
import { trainingTargets } from "./recurrent/targets.js";
import { type Results, ratio, startupRatio } from "./results.js";

/** What is to be reached, in one table. Every target is an upper bound, but for those that say "at least". */
export interface Target {
  readonly what: string;
  readonly unit: "times" | "MB" | "ms";
  readonly atLeast?: true;
  readonly bound: number;
  /** null where it was not measured. */
  readonly measured: (results: Results) => number | null;
}

export interface Verdict {
  readonly what: string;
  readonly unit: Target["unit"];
  readonly atLeast: boolean;
  readonly bound: number;
  readonly measured: number;
  readonly reached: boolean;
}

const times =
  (name: string, variant: Variant, base: Variant) =>
  ({ timed }: Results): number | null => {
    const found = timed.find((result) => result.name === name);
    return found === undefined ? null : (ratio(found, variant, base)?.median ?? null);
  };

const peakOf =
  (name: string) =>
  ({ memory }: Results): number | null =>
    memory.find((result) => result.name === name)?.peak ?? null;

/** The highest resident memory in all steps over that in the first tenth of them. */
const growthOf =
  (name: string) =>
  ({ memory }: Results): number | null => {
    const growth = memory.find((result) => result.name === name)?.growth ?? null;
    return growth === null ? null : growth.late / growth.early;
  };

const scalar = (name: string, title: string, bound: number): Target => ({
  what: `${title}: engine over yardstick`,
  unit: "times",
  bound,
  measured: times(name, "engine", "yardstick"),
});

// A flat loop's resident memory still wanders with V8's heap; one that kept anything of its steps would grow tenfold or more.
const FLAT = 1.25;
// What was held or recorded in 10,000 steps, with the process and its heap, must fit here.
const BOUNDED_MB = 200;

const bounded = (name: string, title: string): Target => ({
  what: `${title}: peak`,
  unit: "MB",
  bound: BOUNDED_MB,
  measured: peakOf(name),
});

const TARGETS: readonly Target[] = [
  scalar("toy-100", "toy network, T = 100", 2.5),
  scalar("toy-10000", "toy network, T = 10,000", 2.5),
  scalar("toy-1000000", "toy network, T = 1,000,000", 2.5),
  scalar("mlp", "scalar network", 3),
  scalar("mlp-metric", "scalar network with an unreached metric", 4),
  {
    what: "scalar network: closures over engine",
    unit: "times",
    atLeast: true,
    bound: 10,
    measured: times("mlp", "closures", "engine"),
  },
  { what: "add of 16 elements: engine over bare loop", unit: "times", bound: 5, measured: times("add-16", "engine", "loop") },
  { what: "matmul at 256: engine over best plain loop", unit: "times", bound: 1.2, measured: times("matmul-256", "engine", "loop") },
  {
    what: "matmul at 256, float32: best plain loop over /compile's kernels",
    unit: "times",
    atLeast: true,
    bound: 5,
    measured: times("matmul-256-float32", "loop", "lent"),
  },
  { what: "toy network, T = 1,000,000, forward and backward: peak", unit: "MB", bound: 400, measured: peakOf("long-toy") },
  bounded("forward-toy", "forward-only loop, toy network"),
  bounded("forward-16", "forward-only loop, network 16 wide"),
  bounded("forward-64", "forward-only loop, network 64 wide"),
  bounded("validation", "recorded validation steps"),
  bounded("validation-lstm", "recorded validation steps of an LSTM"),
  bounded("held", "held losses"),
  bounded("held-metric", "held losses, unreached metric"),
  bounded("held-scalar", "held losses, scalar network"),
  bounded("held-scalar-metric", "held losses, scalar network, unreached metric"),
  { what: "training loop: all steps over the first tenth", unit: "times", bound: FLAT, measured: growthOf("training") },
  {
    what: "start of the process to the first gradient, over an empty process",
    unit: "times",
    bound: 1.3,
    measured: ({ startup }) => (startup === null ? null : startupRatio(startup).median),
  },
  ...[100, 10_000].map((steps) => ({
    what: `toy network as a scan, T = ${steps.toLocaleString("en")}: compiled over handwritten`,
    unit: "times" as const,
    bound: 1.5,
    measured: times(`toy-scan-${steps}`, "compiled", "handwritten"),
  })),
  { what: "scalar network as a scan: compiled over eager", unit: "times", bound: 0.25, measured: times("mlp-scan", "compiled", "engine") },
];

/** Those targets that were measured. */
export function verdicts(results: Results, targets: readonly Target[] = [...TARGETS, ...trainingTargets(results.node)]): Verdict[] {
  return targets.flatMap(({ what, unit, bound, atLeast = false, measured }) => {
    const number = measured(results);
    if (number === null) return [];
    // Written so that NaN is not reached.
    const reached = atLeast ? number >= bound : number <= bound;
    return [{ what, unit, atLeast, bound, measured: number, reached }];
  });
}
