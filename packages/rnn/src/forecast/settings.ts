/** What is fixed about the network and its training. */

export interface NetworkSettings {
  /** Rows that the network sees before the one it forecasts. */
  readonly window: number;
  /** Hidden units of the LSTM. */
  readonly hidden: number;
  readonly learningRate: number;
  readonly batchSize: number;
  /** Longest gradient, see `clipByGlobalNorm`. */
  readonly maxNorm: number;
  /** Epochs without a better validation error before training ends. */
  readonly patience: number;
}

/**
 * Chosen by hand on the built-in data, by the error of the validation year alone (2014) and by how long training takes; the test year was
 * not looked at.
 */
export const NETWORK_SETTINGS: NetworkSettings = {
  window: 14,
  hidden: 16,
  learningRate: 0.003,
  batchSize: 32,
  maxNorm: 1,
  patience: 10,
};

export const DEFAULT_EPOCHS = 60;
export const DEFAULT_SEED = 1;
