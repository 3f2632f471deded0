import type { Kind, Problem, Size } from "./problem.js";
import type { Training } from "./training.js";

/** Who takes a training step. One process loads one variant and nothing else. */
export const TRAINING_VARIANTS = {
  eager: "@unroll/rnn, eager",
  lent: "@unroll/rnn, eager, with /compile imported",
  compiled: "@unroll/rnn, compiled",
  floor: "no network: the multiply-adds of its products, in 128-bit registers",
  torch: "PyTorch, one thread",
  torchAvx2: "PyTorch, one thread, held to AVX2",
  jax: "@jax-js/jax, jit",
  tfjs: "@tensorflow/tfjs, wasm",
  tfjsCpu: "@tensorflow/tfjs, cpu",
  brain: "brain.js (other equations, not compared)",
} as const;

export type TrainingVariant = keyof typeof TRAINING_VARIANTS;

/** The other JavaScript libraries. brain.js counts, though its network is a smaller one. */
export const PEERS = ["jax", "tfjs", "tfjsCpu", "brain"] as const satisfies readonly TrainingVariant[];

export interface TrainingCase {
  readonly name: string;
  readonly title: string;
  readonly kind: Kind;
  readonly size: Size;
  readonly variants: Partial<Record<TrainingVariant, (problem: Problem) => Training | Promise<Training>>>;
  /** Why a variant is left out. */
  readonly absent: Readonly<Partial<Record<TrainingVariant, string>>>;
}

export const SIZES: readonly Size[] = [
  { hidden: 16, batch: 1, steps: 32 },
  { hidden: 32, batch: 8, steps: 32 },
  { hidden: 64, batch: 16, steps: 50 },
  { hidden: 128, batch: 32, steps: 64 },
  { hidden: 256, batch: 32, steps: 64 },
  { hidden: 512, batch: 64, steps: 64 },
];

/** In the order in which they are measured: the compiled step between PyTorch's. Forward and backward; a step with the optimiser inside belongs here, as cases of their own, once there is a compiled one. */
const LOADERS: Readonly<Record<TrainingVariant, (problem: Problem) => Promise<Training>>> = {
  eager: async (problem) => (await import("./eager.js")).trainingOnEngine(problem),
  lent: async (problem) => (await import("./eager.js")).trainingOnLentKernels(problem),
  torch: async (problem) => (await import("./torch.js")).trainingOnTorch(problem),
  compiled: async (problem) => (await import("./compiled.js")).trainingCompiled(problem),
  floor: async (problem) => (await import("./floor.js")).trainingFloor(problem),
  torchAvx2: async (problem) => (await import("./torch.js")).trainingOnTorch(problem, "avx2"),
  jax: async (problem) => (await import("./jax.js")).trainingOnJax(problem),
  tfjs: async (problem) => (await import("./tfjs.js")).trainingOnTfjs(problem, "wasm"),
  tfjsCpu: async (problem) => (await import("./tfjs.js")).trainingOnTfjs(problem, "cpu"),
  brain: async (problem) => (await import("./brain.js")).trainingOnBrain(problem),
};

/** Only for LSTMs: lent kernels and tfjs on its cpu backend for the eager comparison, brain.js as the library known for them. */
const LSTM_ONLY: readonly TrainingVariant[] = ["lent", "tfjsCpu", "brain"];

const TOO_SLOW = "not run: a step takes more than 2 s";

/** The widest network that a variant steps through in less than about 2 s, where it is not the widest of all; @jax-js/jax, in 4 s. */
const WIDEST: Readonly<Partial<Record<TrainingVariant, Readonly<Record<Kind, number>>>>> = {
  eager: { rnn: 256, lstm: 128, gru: 128 },
  lent: { rnn: 256, lstm: 128, gru: 128 },
  tfjs: { rnn: 256, lstm: 128, gru: 128 },
  tfjsCpu: { rnn: 64, lstm: 64, gru: 64 },
  brain: { rnn: 64, lstm: 64, gru: 64 },
};

function trainingCase(kind: Kind, size: Size): TrainingCase {
  const { hidden, batch, steps } = size;
  const asked = (Object.keys(LOADERS) as TrainingVariant[]).filter((variant) => kind === "lstm" || !LSTM_ONLY.includes(variant));
  const isSlow = (variant: TrainingVariant) => hidden > (WIDEST[variant]?.[kind] ?? Infinity);
  return {
    name: `recurrent-${kind}-${hidden}-${batch}-${steps}`,
    title: `${kind.toUpperCase()}, ${hidden} hidden units, batch ${batch}, ${steps} steps`,
    kind,
    size,
    variants: Object.fromEntries(asked.filter((variant) => !isSlow(variant)).map((variant) => [variant, LOADERS[variant]])),
    absent: Object.fromEntries(asked.filter(isSlow).map((variant) => [variant, TOO_SLOW])),
  };
}

export const TRAINING_CASES: readonly TrainingCase[] = (["rnn", "lstm", "gru"] as const).flatMap((kind) =>
  SIZES.map((size) => trainingCase(kind, size)),
);
