/** A result made by hand, for pages and sentences. */
import type { ForecastResult, JudgedMethod } from "../../src/forecast/run.js";
import { NETWORK_SETTINGS } from "../../src/forecast/settings.js";

const judged = (name: string, rmse: number, mae: number, forecasts: number[]): JudgedMethod => ({
  name,
  description: `How ${name} does it`,
  forecasts: Float64Array.from(forecasts),
  validation: { rmse: rmse + 0.25, mae: mae + 0.25 },
  test: { rmse, mae },
});

export function sampleResult(changes: Partial<ForecastResult> = {}): ForecastResult {
  return {
    series: {
      file: "data.csv",
      name: "level",
      unit: "m",
      values: Float64Array.of(1, 2, 3, 4, 5, 6),
      days: Int32Array.of(16_000, 16_001, 16_002, 16_003, 16_004, 16_005),
    },
    split: { training: { start: 0, end: 2 }, validation: { start: 2, end: 4 }, test: { start: 4, end: 6 }, by: "years" },
    settings: { ...NETWORK_SETTINGS, window: 3 },
    epochs: 60,
    seed: 1,
    parameters: 1361,
    testRows: Int32Array.of(4, 5),
    network: judged("LSTM network", 2, 1.5, [5.5, 6.25]),
    baselines: [judged("tomorrow = today", 2.5, 1.75, [4, 5]), judged("calendar mean + anomaly", 1.75, 1.25, [5, 6])],
    history: {
      epochs: [
        { training: 3, validation: 3.5 },
        { training: 2.5, validation: 3 },
      ],
      bestEpoch: 2,
      steps: 46,
      ended: "all epochs",
    },
    shares: Float64Array.of(0.1, 0.2, 0.7),
    shareWindows: 48,
    sensitivities: Float64Array.of(0.01, 0.05, 0.8),
    sensitivityWindows: 717,
    trainingSeconds: 3.21,
    ...changes,
  };
}
