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
export type { Cell, CellParams } from "./cells/cell.js";
export { elmanReluCell, elmanTanhCell, type Nonlinearity } from "./cells/elman.js";
export { gruCell } from "./cells/gru.js";
export type { Lengths } from "./cells/lengths.js";
export { type LstmCellParams, type LstmState, lstmCell } from "./cells/lstm.js";
export { unroll, type UnrollOptions } from "./cells/unroll.js";
export {
  constantInit,
  type DrawOptions,
  type GainOptions,
  identityInit,
  type Initializer,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  normalInit,
  orthogonal,
  uniformInit,
  xavierNormal,
  xavierUniform,
} from "./init/initializers.js";
export { dropout, dropoutMask, type DropoutOptions } from "./layers/dropout.js";
export { gru } from "./layers/gru.js";
export { lstm, type LstmInitOptions, type LstmOptions } from "./layers/lstm.js";
export { cellParams, type LayerParams, type ParameterShapes } from "./layers/parameters.js";
export type { Applied, ApplyOptions, InitOptions, RecurrentLayer, RecurrentOptions } from "./layers/recurrent.js";
export { rnn, type RnnOptions } from "./layers/rnn.js";
export { loadStateDict } from "./io/loadStateDict.js";
export { readSafetensors, safetensorsMetadata, writeSafetensors } from "./io/safetensors.js";
export { flattenTree, type StateDict, unflattenTree, type ValueTree } from "./io/tree.js";
export {
  type AdditiveAttention,
  additiveAttention,
  type AdditiveAttentionOptions,
  type Attended,
  type AttentionOptions,
  dotAttention,
  type DotAttentionOptions,
} from "./layers/attention.js";
export { type EmbeddingInitOptions, type EmbeddingTable, embeddingTable, type EmbeddingTableOptions } from "./layers/embeddingTable.js";
export { type Linear, linear, type LinearInitOptions, type LinearOptions } from "./layers/linear.js";
export { type SequenceToOne, sequenceToOne, type SequenceToOneParams } from "./layers/sequenceToOne.js";
export {
  type DecodingOptions,
  type SequenceToSequence,
  sequenceToSequence,
  type SequenceToSequenceOptions,
  type SequenceToSequenceParams,
  type TeachingOptions,
} from "./layers/sequenceToSequence.js";
export {
  type Feedback,
  type ForecastRun,
  forecastIntervals,
  freeRunningForecast,
  type IntervalForecast,
  type IntervalOptions,
  oneStepResiduals,
} from "./generation/forecast.js";
export { generate, type Generated, type GenerateOptions } from "./generation/generate.js";
export { greedyTokens, sampleTokens, type SamplingOptions } from "./generation/sampling.js";
export { gradientHealth, type GradientHealth, type GradientHealthOptions, type LagHealth } from "./training/gradientHealth.js";
export type { SequenceTask } from "./training/sequenceTask.js";
export { recurrentSpectralRadius, type SpectralRadius, type SpectralRadiusOptions } from "./training/spectralRadius.js";
export {
  type GradientError,
  truncatedBptt,
  truncatedGradient,
  type TruncatedGradient,
  type TruncatedTraining,
  type TruncatedUpdates,
  type Truncation,
  truncationError,
  type TruncationError,
} from "./training/truncatedBptt.js";
