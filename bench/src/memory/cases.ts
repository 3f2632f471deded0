import { peak, type Growth } from "./growth.js";

/** What one process reports. Memory in MB. */
export interface MemoryReport {
  readonly peak: number;
  /** Of loops over steps. */
  readonly growth: Growth | null;
  /** Of loops over scalar nodes: how many, and the time of one in ns. */
  readonly nodes: number | null;
  readonly perNode: number | null;
}

export interface MemoryCase {
  readonly name: string;
  readonly title: string;
  readonly run: (quick: boolean) => Promise<MemoryReport>;
}

const steps = (quick: boolean) => (quick ? 1_000 : 10_000);
const nodes = (quick: boolean) => (quick ? 10_000_000 : 100_000_000);

function overNodes(count: number, run: (nodes: number) => void): MemoryReport {
  const start = performance.now();
  run(count);
  return { peak: peak(), growth: null, nodes: count, perNode: (1e6 * (performance.now() - start)) / count };
}

function overSteps(growth: Growth): MemoryReport {
  return { peak: peak(), growth, nodes: null, perNode: null };
}

export const MEMORY_CASES: readonly MemoryCase[] = [
  {
    name: "long-toy",
    title: "toy network, T = 1,000,000, forward and backward",
    run: async () => {
      const { toyOnEngine } = await import("../toy/engine.js");
      const workload = toyOnEngine(1_000_000);
      return overNodes(8_000_000, () => {
        workload.forward();
        workload.backward!();
      });
    },
  },
  {
    name: "forward-toy",
    title: "forward-only loop, toy network",
    run: async (quick) => {
      const { forwardOnlyToy } = await import("./forwardOnly.js");
      return overNodes(nodes(quick), forwardOnlyToy);
    },
  },
  ...[16, 64].map((width) => ({
    name: `forward-${width}`,
    title: `forward-only loop, network ${width} wide`,
    run: async (quick: boolean) => {
      const { forwardOnlyNetwork } = await import("./forwardOnly.js");
      return overNodes(nodes(quick), (count) => forwardOnlyNetwork(width, count));
    },
  })),
  {
    name: "validation",
    title: "recorded validation steps, 256 hidden units",
    run: async (quick) => overSteps((await import("./arrayTraining.js")).validation(steps(quick), 256)),
  },
  {
    name: "validation-lstm",
    title: "recorded validation steps, LSTM of 256 hidden units",
    run: async (quick) => overSteps((await import("./arrayTraining.js")).lstmValidation(steps(quick), 256)),
  },
  ...[false, true].map((metric) => ({
    name: metric ? "held-metric" : "held",
    title: `held losses of training steps, 256 hidden units${metric ? ", and an unreached metric" : ""}`,
    run: async (quick: boolean) =>
      overSteps((await import("./arrayTraining.js")).training(steps(quick), { hidden: 256, hold: true, metric })),
  })),
  ...[false, true].map((metric) => ({
    name: metric ? "held-scalar-metric" : "held-scalar",
    title: `held losses of training steps, scalar network${metric ? ", and an unreached metric" : ""}`,
    run: async (quick: boolean) => overSteps((await import("./scalarTraining.js")).heldScalarLosses(steps(quick), metric)),
  })),
  {
    name: "training",
    title: "training loop, 64 hidden units",
    run: async (quick) =>
      overSteps((await import("./arrayTraining.js")).training(steps(quick), { hidden: 64, hold: false, metric: false })),
  },
];
