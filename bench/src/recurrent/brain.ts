import brain from "brain.js";
import type { Problem } from "./problem.js";
import { inTurn, type Training } from "./training.js";

/** What is called of brain.js; its own declarations leave this out. */
interface Network {
  readonly model: { readonly allMatrices: readonly { readonly deltas: Float32Array }[] };
  initialize(): void;
  trainArrays(sequence: readonly Float32Array[]): number;
  backpropagate(): void;
}

/**
 * Its LSTM of one sequence at a time: the output is the only state, which the forget gate acts on, a linear layer follows, and each input
 * is to predict the next. Other equations, that is, and a step more in each sequence; its gradients of biases are those of one step.
 */
export function trainingOnBrain({ hidden, batch, steps, inputs }: Problem): Training {
  const network = new brain.recurrent.LSTMTimeStep({ inputSize: hidden, hiddenLayers: [hidden], outputSize: hidden }) as unknown as Network;
  network.initialize();
  const sequences = Array.from({ length: batch }, (_, b) =>
    Array.from({ length: steps + 1 }, (_, t) => inputs.slice(((t % steps) * batch + b) * hidden, ((t % steps) * batch + b + 1) * hidden)),
  );
  let loss = NaN;
  return {
    run: inTurn(() => {
      for (const { deltas } of network.model.allMatrices) deltas.fill(0);
      loss = 0;
      for (const sequence of sequences) {
        loss += network.trainArrays(sequence);
        network.backpropagate();
      }
      if (!Number.isFinite(loss)) throw new Error(`brain.js: the loss is ${loss}`);
    }),
    results: () => null,
  };
}
