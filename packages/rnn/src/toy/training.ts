import { InputError, type Param } from "@unroll/autograd";
import { optimizer, sgd, type UpdateRule } from "@unroll/autograd/optim";
import { toyLoss } from "./network.js";
import type { TrainingPairs } from "./pairs.js";
import type { ToyTree } from "./parameters.js";

export interface ToyTrainingOptions {
  /** How often to go through all sequences. */
  readonly epochs: number;
  /** What makes a step out of a gradient; plain gradient descent with a learning rate of 0.05 where none is given. */
  readonly rule?: UpdateRule<unknown>;
}

/**
 * Trains the network in place, one update for each sequence: the whole sequence is unrolled with the same parameters, and only then do
 * they change.
 *
 * @returns E of each epoch, summed over the sequences, each taken just before its own update.
 * @throws InputError for no sequences, a number of epochs that is not a whole number, or pairs that `toyLoss` does not take.
 * @example const losses = trainToy(toyParams({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 }), [nextElementPairs([0, 1, 0, 1, 0])], { epochs: 100 });
 */
export function trainToy(
  parameters: ToyTree<Param>,
  sequences: readonly TrainingPairs[],
  { epochs, rule = sgd({ learningRate: 0.05 }) }: ToyTrainingOptions,
): number[] {
  if (sequences.length === 0) throw new InputError("trainToy: expected at least one sequence of training pairs, got none");
  if (!Number.isInteger(epochs) || epochs < 0) {
    throw new InputError(`trainToy: expected epochs to be a whole number, 0 or more, got ${String(epochs)}`);
  }
  const steps = optimizer(rule, parameters);
  return Array.from({ length: epochs }, () => {
    let total = 0;
    for (const { inputs, targets } of sequences) {
      const loss = toyLoss(parameters, inputs, targets);
      steps.zeroGrad();
      loss.backward();
      steps.step();
      total += loss.item();
    }
    return total;
  });
}
