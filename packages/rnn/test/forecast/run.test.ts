import { describe, expect, it } from "vitest";
import type { Series } from "../../src/data/series.js";
import { accuracyOf } from "../../src/forecast/accuracy.js";
import { prepareSeries, runForecast, type TrainingProgress } from "../../src/forecast/run.js";

const values = Float64Array.from({ length: 60 }, (_, i) => 20 + 5 * Math.sin(i / 3) + Math.cos(i * i));
const seriesOf = (numbers: Float64Array): Series => ({ file: "data.csv", name: "level", unit: "m", values: numbers, days: null });
const run = (numbers = values, seed = 1) => runForecast(prepareSeries(seriesOf(numbers)), { epochs: 2, seed });

describe("a forecast", () => {
  it("judges network and baselines on the same rows, in the unit of the series", async () => {
    const result = await run();
    expect([...result.testRows]).toEqual(Array.from({ length: 60 - 51 }, (_, i) => 51 + i));
    for (const method of [result.network, ...result.baselines]) {
      expect(method.forecasts.length).toBe(9);
      expect(method.test).toEqual(accuracyOf(method.forecasts, values, result.testRows));
    }
    expect(result.baselines.map(({ name }) => name)).toEqual(["next row = this row", "AR(1)"]);
    for (const forecast of result.network.forecasts) expect(Math.abs(forecast - 20)).toBeLessThan(15);
  });

  it("looks back over the whole window", async () => {
    const { shares, sensitivities, settings } = await run();
    expect([shares.length, sensitivities.length]).toEqual([settings.window, settings.window]);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
  });

  it("is the same for the same seed, and another for another", async () => {
    const [one, again, other] = [await run(), await run(), await run(values, 2)];
    expect([...again.network.forecasts]).toEqual([...one.network.forecasts]);
    expect([...other.network.forecasts]).not.toEqual([...one.network.forecasts]);
  });

  it("does not know what it forecasts: the last value changes no forecast, the test part no weight", async () => {
    const before = await run();
    const lastChanged = await run(values.map((value, i) => (i === 59 ? 1000 : value)));
    expect([...lastChanged.network.forecasts]).toEqual([...before.network.forecasts]);
    const testChanged = await run(values.map((value, i) => (i >= 51 ? 1000 : value)));
    expect(testChanged.network.forecasts[0]).toBe(before.network.forecasts[0]);
    expect(testChanged.history).toEqual(before.history);
    for (let i = 0; i < 2; i++) expect(testChanged.baselines[i]!.forecasts[0]).toBe(before.baselines[i]!.forecasts[0]);
  });

  it("tells its progress in the unit of the series", async () => {
    const seen: TrainingProgress[] = [];
    const { history } = await runForecast(prepareSeries(seriesOf(values)), {
      epochs: 2,
      seed: 1,
      onStep: (progress) => seen.push(progress),
    });
    expect(seen.length).toBe(2);
    expect(seen[0]!.trainingError).toBeCloseTo(history.epochs[0]!.training, 12);
    expect(seen[1]!.validationError).toBeCloseTo(history.epochs[0]!.validation, 12);
    expect(seen[1]!.secondsLeft).toBe(0);
  });

  it("of a constant series is that constant, by every baseline", async () => {
    const { baselines, network } = await run(new Float64Array(60).fill(7));
    for (const { test } of baselines) expect(test).toEqual({ mae: 0, rmse: 0 });
    expect(Number.isFinite(network.test.rmse)).toBe(true);
  });
});
