/** @unroll/rnn: recurrent networks as unrolled graphs; their gradients are the engine's. */
export {
  type ComparedGradient,
  type ComparisonOptions,
  compareGradients,
  type GradientComparison,
  type GradientMethod,
  type PublishedDirection,
} from "./toy/comparison.js";
export { formatComparison } from "./toy/comparisonTable.js";
export { toyLoss, toyParams, toyPredictions } from "./toy/network.js";
export { nextElementPairs, type TrainingPairs } from "./toy/pairs.js";
export type { ParameterName, ToyGradient, ToyParameters, ToyTree } from "./toy/parameters.js";
export { type PublishedWrongRecurrence, publishedWrongRecurrence } from "./toy/publishedRecurrence.js";
export { type HandwrittenRecurrence, handwrittenRecurrence } from "./toy/recurrence.js";
export { type ToyTrainingOptions, trainToy } from "./toy/training.js";
