import type { Results } from "../results.js";
import type { Target } from "../targets.js";
import { callTime, compileTime, type CompileResult } from "./compileTime.js";
import { PEERS, TRAINING_VARIANTS } from "./cases.js";
import type { Kind } from "./problem.js";
import { bestPeer, trainingRatio, type TrainingResult } from "./results.js";

/** Our compiled step over PyTorch's, by Node's major version and the size of the network. */
const TO_TORCH: Readonly<Record<number, Readonly<Record<number, Readonly<Record<Kind, number>>>>>> = {
  20: {
    16: { rnn: 0.1, lstm: 0.1, gru: 0.1 },
    32: { rnn: 0.1, lstm: 0.6, gru: 0.1 },
    64: { rnn: 0.4, lstm: 1.4, gru: 0.5 },
    128: { rnn: 1.1, lstm: 2.2, gru: 1.4 },
    256: { rnn: 2.5, lstm: 2.6, gru: 2.6 },
    512: { rnn: 2.5, lstm: 2.6, gru: 2.6 },
  },
  24: {
    16: { rnn: 0.1, lstm: 0.1, gru: 0.1 },
    32: { rnn: 0.1, lstm: 0.5, gru: 0.1 },
    64: { rnn: 0.3, lstm: 1.2, gru: 0.35 },
    128: { rnn: 0.8, lstm: 1.7, gru: 1.0 },
    256: { rnn: 1.9, lstm: 2.0, gru: 1.6 },
    512: { rnn: 1.9, lstm: 2.0, gru: 1.6 },
  },
};

const HIDDEN = [16, 32, 64, 128, 256, 512];
const KINDS: readonly Kind[] = ["rnn", "lstm", "gru"];

export function trainingTargets(node: string): Target[] {
  return [
    ...torchTargets(node),
    ...HIDDEN.map(stepToPeers),
    ...HIDDEN.map(firstToJax),
    ...[16, 32, 64].flatMap(eagerToPeers),
    ...compileTargets(),
  ];
}

/**
 * Those against PyTorch, for the two versions of Node that they were set for. They were set on a processor where PyTorch uses AVX2; where it
 * uses AVX-512, twice as wide, "torchAvx2" is the like of it.
 */
export function torchTargets(node: string, base: "torch" | "torchAvx2" = "torch"): Target[] {
  const bounds = TO_TORCH[Number.parseInt(node)];
  const measured = (result: TrainingResult) => trainingRatio(result, "compiled", base, "step")?.median ?? null;
  return KINDS.flatMap((kind) =>
    HIDDEN.flatMap((hidden): Target[] => {
      const bound = bounds?.[hidden]?.[kind];
      if (bound === undefined) return [];
      const what = `${named(kind, hidden)}: compiled over PyTorch${base === "torch" ? "" : " held to AVX2"}`;
      return [{ what, unit: "times", bound, measured: of(kind, hidden, measured) }];
    }),
  );
}

const named = (kind: Kind, hidden: number) => `${kind.toUpperCase()} ${hidden}`;

const of =
  (kind: Kind, hidden: number, measured: (result: TrainingResult) => number | null) =>
  ({ training }: Results): number | null => {
    const found = training.find((result) => result.kind === kind && result.size.hidden === hidden);
    return found === undefined ? null : measured(found);
  };

const bestPeerStep = (result: TrainingResult): number | null => {
  const best = bestPeer(result, "step");
  return best === null ? null : (trainingRatio(result, best, "compiled", "step")?.median ?? null);
};

function stepToPeers(hidden: number): Target {
  return {
    what: `LSTM ${hidden}: the quickest other library over compiled`,
    unit: "times",
    atLeast: true,
    bound: hidden <= 64 ? 8 : 2,
    measured: of("lstm", hidden, bestPeerStep),
  };
}

function firstToJax(hidden: number): Target {
  return {
    what: `LSTM ${hidden}, call to first result: @jax-js/jax over compiled`,
    unit: "times",
    atLeast: true,
    bound: 10,
    measured: of("lstm", hidden, (result) => trainingRatio(result, "jax", "compiled", "first")?.median ?? null),
  };
}

/** At 64 units eager products run on the kernels that /compile lends. */
function eagerToPeers(hidden: number): Target[] {
  const [ours, named] = hidden < 64 ? (["eager", "eager"] as const) : (["lent", "eager with /compile imported"] as const);
  return PEERS.map((peer) => ({
    what: `LSTM ${hidden}, first 20 steps: ${TRAINING_VARIANTS[peer]} over ${named}`,
    unit: "times",
    atLeast: true,
    bound: 1,
    measured: of("lstm", hidden, (result) => trainingRatio(result, peer, ours, "twenty")?.median ?? null),
  }));
}

function compileTargets(): Target[] {
  const target = (what: string, bound: number, measured: (result: CompileResult) => number | null): Target => ({
    what,
    unit: "ms",
    bound,
    measured: ({ compiling }) => (compiling === null ? null : measured(compiling)),
  });
  return [
    target("compiled LSTM 128, call to first result, fresh process", 200, (result) => callTime(result, "fresh")),
    target("the same, a second network, warm", 60, (result) => callTime(result, "warm")),
    target("the same, another length, without the step itself", 15, (result) => compileTime(result, "length")),
  ];
}
