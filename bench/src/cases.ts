import type { Reference, Workload } from "./workload.js";

/**
 * What is timed. A process loads one workload and nothing else: in a process shared by several, V8's call sites see every shape and are up
 * to 20 times slower.
 */
export const VARIANTS = {
  engine: "@unroll/autograd",
  compiled: "@unroll/autograd, compiled",
  yardstick: "typed-array columns, integer ids",
  closures: "closures, as in micrograd",
  handwritten: "handwritten recurrence",
  lent: "@unroll/autograd, /compile imported",
  loop: "bare loop, preallocated buffer",
} as const;

export type Variant = keyof typeof VARIANTS;

export interface Case {
  readonly name: string;
  readonly title: string;
  /** What times are given per, and how many of them one call of the workload computes. */
  readonly unit: "node" | "call" | "loss";
  readonly count: number;
  /** What the other variants are compared with. */
  readonly base: Variant;
  readonly workloads: Partial<Record<Variant, () => Promise<Workload>>>;
  /** Why there is no workload of a variant that one would look for. */
  readonly absent?: Readonly<Partial<Record<Variant, string>>>;
  readonly reference: () => Promise<Reference>;
  /** How far results may be off, over their scale, where it is more than rounding in float64 explains. */
  readonly tolerance?: number;
  /** Calls so long that few samples must do. */
  readonly long?: boolean;
}

const ADDITIONS = 200;

function toy(steps: number): Case {
  const long = steps >= 1_000_000;
  return {
    name: `toy-${steps}`,
    title: `toy network, T = ${steps.toLocaleString("en")}`,
    unit: "node",
    count: 8 * steps,
    base: "yardstick",
    long,
    workloads: {
      engine: async () => (await import("./toy/engine.js")).toyOnEngine(steps),
      yardstick: async () => (await import("./toy/yardstick.js")).toyOnColumns(steps),
      handwritten: async () => (await import("./toy/handwritten.js")).toyByHand(steps),
      ...(long ? {} : { closures: async () => (await import("./toy/closures.js")).toyOnClosures(steps) }),
    },
    ...(long ? { absent: { closures: "no result: out of memory in Node's default heap of 4 GB" } } : {}),
    reference: async () => {
      const { toyProblem, toyReference } = await import("./toy/problem.js");
      return toyReference(toyProblem(steps));
    },
  };
}

function toyAsScan(steps: number): Case {
  return {
    name: `toy-scan-${steps}`,
    title: `toy network as a scan, T = ${steps.toLocaleString("en")}`,
    unit: "loss",
    count: 1,
    base: "handwritten",
    workloads: {
      compiled: async () => (await import("./toy/scan.js")).toyScanCompiled(steps),
      handwritten: async () => (await import("./toy/handwritten.js")).toyByHand(steps),
    },
    reference: toy(steps).reference,
  };
}

/** The eager one is the case above it: the engine as a user writes it, without a scan. */
const mlpAsScan: Case = {
  name: "mlp-scan",
  title: "2-16-16-1 tanh network, its 100 points as a scan",
  unit: "loss",
  count: 1,
  base: "engine",
  workloads: {
    compiled: async () => (await import("./mlp/scan.js")).mlpScanCompiled(),
    engine: async () => (await import("./mlp/engine.js")).mlpOnEngine(false),
  },
  reference: mlp(false).reference,
};

function mlp(withMetric: boolean): Case {
  return {
    name: withMetric ? "mlp-metric" : "mlp",
    title: withMetric ? "the same, with a metric that no backward pass reaches" : "2-16-16-1 tanh network, 100 points",
    unit: "node",
    count: 100 * (80 + 528 + 32 + 3) + 1 + (withMetric ? 301 : 0),
    base: "yardstick",
    workloads: {
      engine: async () => (await import("./mlp/engine.js")).mlpOnEngine(withMetric),
      yardstick: async () => (await import("./mlp/yardstick.js")).mlpOnColumns(withMetric),
      closures: async () => (await import("./mlp/closures.js")).mlpOnClosures(withMetric),
    },
    reference: async () => {
      const { mlpProblem, mlpReference } = await import("./mlp/problem.js");
      return mlpReference(mlpProblem(), withMetric);
    },
  };
}

function addition(size: number): Case {
  return {
    name: `add-${size}`,
    title: `add, ${size.toLocaleString("en")} elements`,
    unit: "call",
    count: ADDITIONS,
    base: "loop",
    workloads: {
      engine: async () => (await import("./arrays/add.js")).addOnEngine(size, ADDITIONS),
      loop: async () => (await import("./arrays/add.js")).addInLoop(size, ADDITIONS),
    },
    reference: async () => (await import("./arrays/add.js")).addReference(size),
  };
}

function product(size: number, dtype: "float64" | "float32" = "float64"): Case {
  const repeats = size <= 16 ? 20 : 1;
  const isDouble = dtype === "float64";
  return {
    name: `matmul-${size}${isDouble ? "" : `-${dtype}`}`,
    title: `matmul, ${size} x ${size}${isDouble ? "" : `, ${dtype}`}`,
    ...(isDouble ? {} : { tolerance: 1e-5 }),
    unit: "call",
    count: repeats,
    base: "loop",
    workloads: {
      engine: async () => (await import("./arrays/matmul.js")).matmulOnEngine(size, repeats, dtype),
      ...(size < 256 ? {} : { lent: async () => (await import("./arrays/matmul.js")).matmulOnLentKernels(size, repeats, dtype) }),
      loop: async () => (await import("./arrays/matmul.js")).matmulInLoop(size, repeats, dtype),
    },
    reference: async () => (await import("./arrays/matmul.js")).matmulReference(size, dtype),
  };
}

const lstm: Case = {
  name: "lstm-32",
  title: "LSTM step, 32 hidden units, batch 8",
  unit: "call",
  count: 1,
  base: "loop",
  workloads: {
    engine: async () => (await import("./arrays/lstm.js")).lstmOnEngine(),
    loop: async () => (await import("./arrays/lstm.js")).lstmInLoop(),
  },
  reference: async () => (await import("./arrays/lstm.js")).lstmReference(),
};

export const CASES: readonly Case[] = [
  toy(100),
  toy(10_000),
  toy(1_000_000),
  mlp(false),
  mlp(true),
  toyAsScan(100),
  toyAsScan(10_000),
  mlpAsScan,
  addition(16),
  addition(4096),
  product(16),
  product(64),
  product(256),
  product(256, "float32"),
  lstm,
];
