/** The whole forecast of a series: train the network, judge it and the baselines on the same rows, and look at where it looks. */
import { setImmediate } from "node:timers/promises";
import { mseLoss, noGrad, type Param } from "@unroll/autograd";
import { adam } from "@unroll/autograd/optim";
import { key, splitKey } from "@unroll/autograd/random";
import { type Normalisation, normalisationOf } from "../data/normalisation.js";
import { rowNoun, type Series } from "../data/series.js";
import { type Split, splitSeries } from "../data/split.js";
import { batchOf, type Features, featuresOf, forecastRows } from "../data/windows.js";
import { type FitHistory, type FitProgress, fit } from "../training/fit.js";
import { consecutiveBatches } from "../training/minibatches.js";
import { type Accuracy, accuracyOf } from "./accuracy.js";
import { baselinesOf } from "./baselines.js";
import { gradientShares, sensitivities } from "./lookBack.js";
import { forecast, type NetworkWeights, networkParams, weightsOf } from "./network.js";
import { NETWORK_SETTINGS, type NetworkSettings } from "./settings.js";

export interface ForecastOptions {
  readonly epochs: number;
  /** Decides the first weights and the order of the training rows. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Called after each step of training; errors are in the unit of the series. */
  readonly onStep?: (progress: TrainingProgress) => void;
}

export interface TrainingProgress {
  readonly steps: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly epochs: number;
  /** Root mean squared errors, in the unit of the series. */
  readonly trainingError: number;
  readonly validationError: number | null;
  /** Seconds that the steps left would take, if none is spared by early stopping. */
  readonly secondsLeft: number;
}

/** A way to forecast, and how it did. */
export interface JudgedMethod {
  readonly name: string;
  readonly description: string;
  /** The forecasts of the test rows, in the unit of the series. */
  readonly forecasts: Float64Array;
  readonly validation: Accuracy;
  readonly test: Accuracy;
}

export interface ForecastResult {
  readonly series: Series;
  readonly split: Split;
  readonly settings: NetworkSettings;
  readonly epochs: number;
  readonly seed: number;
  /** The number of weights that were learnt. */
  readonly parameters: number;
  /** The rows that are forecast, which are the same for all methods. */
  readonly testRows: Int32Array;
  readonly network: JudgedMethod;
  readonly baselines: readonly JudgedMethod[];
  /** Losses are root mean squared errors in the unit of the series. */
  readonly history: FitHistory;
  /** See `gradientShares`: the mean over `shareWindows` windows of the training part; the last entry is the row before the forecast. */
  readonly shares: Float64Array;
  readonly shareWindows: number;
  /** See `sensitivities`: the mean over `sensitivityWindows` windows of the training part; the last entry is the row before the forecast. */
  readonly sensitivities: Float64Array;
  readonly sensitivityWindows: number;
  readonly trainingSeconds: number;
}

/** Small enough that a step of training and a batch of evaluation keep a signal waiting for about as long. */
const EVALUATION_BATCH = 64;
const SHARE_WINDOWS = 48;
const SENSITIVITY_WINDOWS = 1000;

/** A series made ready for the network. */
export interface PreparedSeries {
  readonly series: Series;
  readonly split: Split;
  readonly normalisation: Normalisation;
  readonly features: Features;
}

/** @throws DataError where the series is too short (see `splitSeries`) or its values too large. */
export function prepareSeries(series: Series): PreparedSeries {
  const split = splitSeries(series, NETWORK_SETTINGS.window);
  const normalisation = normalisationOf(series, split.training);
  return { series, split, normalisation, features: featuresOf(series, normalisation) };
}

/** @throws RangeError where training diverges. */
export async function runForecast(prepared: PreparedSeries, options: ForecastOptions): Promise<ForecastResult> {
  const { series, split, normalisation, features } = prepared;
  const settings = NETWORK_SETTINGS;
  const { window } = settings;
  const rows = {
    training: forecastRows(split.training, window),
    validation: forecastRows(split.validation, window),
    test: forecastRows(split.test, window),
  };
  const [initialKey, orderKey] = splitKey(key(options.seed)) as [ReturnType<typeof key>, ReturnType<typeof key>];
  const weights = networkParams(initialKey, features.width, settings.hidden);
  const network = new TrainedNetwork(weights, features, normalisation, window);

  const start = performance.now();
  const stepSeconds = new RecentSeconds();
  const history = await fit(
    {
      params: weightsOf(weights),
      rule: adam({ learningRate: settings.learningRate }),
      rows: rows.training,
      loss: (batch) => {
        const { inputs, targets } = batchOf(features, batch, window);
        return mseLoss(forecast(weights, inputs), targets);
      },
      validationLoss: () => network.loss(rows.validation),
      key: orderKey,
      signal: options.signal,
      onStep: (progress) => {
        stepSeconds.next();
        options.onStep?.(inUnits(progress, options.epochs, stepSeconds.mean, normalisation));
      },
    },
    { epochs: options.epochs, patience: settings.patience, batchSize: settings.batchSize, maxNorm: settings.maxNorm },
  );
  const trainingSeconds = (performance.now() - start) / 1000;

  const judge = (name: string, description: string, validation: Float64Array, test: Float64Array): JudgedMethod => ({
    name,
    description,
    forecasts: test,
    validation: accuracyOf(validation, series.values, rows.validation),
    test: accuracyOf(test, series.values, rows.test),
  });
  const shareRows = evenlySpaced(rows.training, SHARE_WINDOWS);
  const sensitivityRows = evenlySpaced(rows.training, SENSITIVITY_WINDOWS);
  return {
    series,
    split,
    settings,
    epochs: options.epochs,
    seed: options.seed,
    parameters: weightsOf(weights).reduce((total, { size }) => total + size, 0),
    testRows: rows.test,
    network: judge(
      "LSTM network",
      `A recurrent network with ${settings.hidden} hidden units that reads the ${window} ${rowNoun(series)}s before`,
      await network.forecasts(rows.validation),
      await network.forecasts(rows.test),
    ),
    baselines: baselinesOf(series, split).map(({ name, description, forecast }) =>
      judge(name, description, Float64Array.from(rows.validation, forecast), Float64Array.from(rows.test, forecast)),
    ),
    history: {
      ...history,
      epochs: history.epochs.map(({ training, validation }) => ({
        training: rootOf(training, normalisation),
        validation: rootOf(validation, normalisation),
      })),
    },
    shares: await network.shares(shareRows),
    shareWindows: shareRows.length,
    sensitivities: await network.sensitivities(sensitivityRows),
    sensitivityWindows: sensitivityRows.length,
    trainingSeconds,
  };
}

/** A network with the rows that it reads, evaluated a few hundred rows at a time so that a long file needs no more memory than a short one. */
class TrainedNetwork {
  readonly #weights: NetworkWeights<Param>;
  readonly #features: Features;
  readonly #normalisation: Normalisation;
  readonly #window: number;

  constructor(weights: NetworkWeights<Param>, features: Features, normalisation: Normalisation, window: number) {
    this.#weights = weights;
    this.#features = features;
    this.#normalisation = normalisation;
    this.#window = window;
  }

  /** The forecasts of rows, in the unit of the series. */
  async forecasts(rows: Int32Array): Promise<Float64Array> {
    const { mean, scale } = this.#normalisation;
    const forecasts = new Float64Array(rows.length);
    let done = 0;
    for (const batch of consecutiveBatches(rows, EVALUATION_BATCH)) {
      const normalised = noGrad(() => forecast(this.#weights, this.#batch(batch).inputs)).data;
      for (const value of normalised) forecasts[done++] = Number(value) * scale + mean;
      await setImmediate();
    }
    return forecasts;
  }

  /** The mean squared error over rows, on the normalised scale. */
  async loss(rows: Int32Array): Promise<number> {
    let sum = 0;
    for (const rowsNow of consecutiveBatches(rows, EVALUATION_BATCH)) {
      const { inputs, targets } = this.#batch(rowsNow);
      sum += noGrad(() => mseLoss(forecast(this.#weights, inputs), targets, { reduction: "sum" })).item();
      await setImmediate();
    }
    return sum / rows.length;
  }

  /** The mean of `gradientShares` over rows. */
  async shares(rows: Int32Array): Promise<Float64Array> {
    const total = new Float64Array(this.#window);
    for (const batch of consecutiveBatches(rows, 1)) {
      addScaled(total, gradientShares(this.#weights, this.#batch(batch)), 1 / rows.length);
      await setImmediate();
    }
    return total;
  }

  /** The mean of `sensitivities` over rows. */
  async sensitivities(rows: Int32Array): Promise<Float64Array> {
    const total = new Float64Array(this.#window);
    for (const batch of consecutiveBatches(rows, EVALUATION_BATCH)) {
      addScaled(total, sensitivities(this.#weights, this.#batch(batch)), batch.length / rows.length);
      await setImmediate();
    }
    return total;
  }

  #batch(rows: Int32Array): ReturnType<typeof batchOf> {
    return batchOf(this.#features, rows, this.#window);
  }
}

function inUnits(progress: FitProgress, epochs: number, stepSeconds: number, normalisation: Normalisation): TrainingProgress {
  const { steps, totalSteps, epoch, trainingLoss, validationLoss } = progress;
  return {
    steps,
    totalSteps,
    epoch,
    epochs,
    trainingError: rootOf(trainingLoss, normalisation),
    validationError: validationLoss === null ? null : rootOf(validationLoss, normalisation),
    secondsLeft: stepSeconds * (totalSteps - steps),
  };
}

/** How long something that repeats takes: a mean that forgets, because the first steps of a fresh process are several times slower. */
class RecentSeconds {
  mean = 0;
  #last = performance.now();

  next(): void {
    const now = performance.now();
    const seconds = (now - this.#last) / 1000;
    this.mean = this.mean === 0 ? seconds : 0.9 * this.mean + 0.1 * seconds;
    this.#last = now;
  }
}

/** The root mean squared error, in the unit of the series, of a mean squared error on the normalised scale. */
function rootOf(loss: number, { scale }: Normalisation): number {
  return Math.sqrt(loss) * scale;
}

function evenlySpaced(rows: Int32Array, most: number): Int32Array {
  if (rows.length <= most) return rows;
  return Int32Array.from({ length: most }, (_, k) => rows[Math.round((k * (rows.length - 1)) / (most - 1))]!);
}

function addScaled(total: Float64Array, numbers: Float64Array, factor: number): void {
  numbers.forEach((number, i) => {
    total[i]! += factor * number;
  });
}
