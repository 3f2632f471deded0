import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/data/dataError.js";
import { normalisationOf } from "../../src/data/normalisation.js";
import type { Series } from "../../src/data/series.js";
import { splitSeries } from "../../src/data/split.js";
import { batchOf, featuresOf, forecastRows } from "../../src/data/windows.js";

const seriesOf = (values: ArrayLike<number>, days: Int32Array | null = null): Series => ({
  file: "data.csv",
  name: "level",
  unit: "",
  values: Float64Array.from(values),
  days,
});

describe("normalisation", () => {
  it("gives the training part mean 0 and standard deviation 1", () => {
    const { mean, scale } = normalisationOf(seriesOf([2, 4, 4, 4, 5, 5, 7, 9, 1000]), { start: 0, end: 8 });
    expect([mean, scale]).toEqual([5, 2]);
  });

  it("leaves a constant column alone but for its mean", () => {
    expect(normalisationOf(seriesOf([3, 3, 3]), { start: 0, end: 3 })).toEqual({ mean: 3, scale: 1 });
  });

  it("refuses values whose squares are not finite", () => {
    expect(() => normalisationOf(seriesOf([1e308, -1e308]), { start: 0, end: 2 })).toThrow(DataError);
  });
});

describe("windows", () => {
  it("hold the rows before the one to forecast, time first, the latest last", () => {
    const features = featuresOf(seriesOf([0, 1, 2, 3, 4, 5]), { mean: 0, scale: 1 });
    const { inputs, targets } = batchOf(features, Int32Array.of(3, 5), 3);
    expect(inputs.shape).toEqual([3, 2, 1]);
    expect(inputs.toArray()).toEqual([
      [[0], [2]],
      [[1], [3]],
      [[2], [4]],
    ]);
    expect(targets.toArray()).toEqual([3, 5]);
  });

  it("with dates carry the time of year, as a point on a circle", () => {
    const days = Int32Array.of(0, 91, 183);
    const { width, rows } = featuresOf(seriesOf([5, 5, 5], days), { mean: 5, scale: 1 });
    expect(width).toBe(3);
    for (let i = 0; i < 3; i++) expect(Math.hypot(rows[3 * i + 1]!, rows[3 * i + 2]!)).toBeCloseTo(1, 12);
    expect([...rows.slice(0, 3)]).toEqual([0, 0, 1]);
  });

  it("cover every row of validation and test, and those of training that have a whole window before them", () => {
    expect([...forecastRows({ start: 0, end: 6 }, 4)]).toEqual([4, 5]);
    expect([...forecastRows({ start: 6, end: 9 }, 4)]).toEqual([6, 7, 8]);
  });
});

describe("nothing leaks from the future", () => {
  const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 40, maxLength: 80 });
  const window = 5;

  /** All windows of a part, as the network gets them. */
  function inputsOf(series: Series, part: "training" | "validation" | "test"): number[][] {
    const split = splitSeries(series, window);
    const features = featuresOf(series, normalisationOf(series, split.training));
    return [...forecastRows(split[part], window)].map((row) => [...batchOf(features, Int32Array.of(row), window).inputs.data].map(Number));
  }

  it("a window is the same whatever comes on the day to forecast and after it", () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.double({ min: -1e6, max: 1e6, noNaN: true }), (numbers, choice, other) => {
        const series = seriesOf(numbers);
        const { test } = splitSeries(series, window);
        const row = test.start + (choice % (test.end - test.start));
        const changed = seriesOf(numbers.map((value, i) => (i >= row ? other : value)));
        expect(inputsOf(changed, "test")[row - test.start]).toEqual(inputsOf(series, "test")[row - test.start]);
      }),
    );
  });

  it("the training part, normalised, does not know the validation and test parts", () => {
    fc.assert(
      fc.property(values, fc.double({ min: -1e6, max: 1e6, noNaN: true }), (numbers, other) => {
        const series = seriesOf(numbers);
        const { training } = splitSeries(series, window);
        const changed = seriesOf(numbers.map((value, i) => (i >= training.end ? other : value)));
        expect(inputsOf(changed, "training")).toEqual(inputsOf(series, "training"));
      }),
    );
  });

  it("a window does see the day before the forecast", () => {
    const numbers = Array.from({ length: 40 }, (_, i) => Math.sin(i));
    const series = seriesOf(numbers);
    const { test } = splitSeries(series, window);
    const changed = seriesOf(numbers.map((value, i) => (i === test.start ? 99 : value)));
    expect(inputsOf(changed, "test")[1]).not.toEqual(inputsOf(series, "test")[1]);
    expect(inputsOf(changed, "test")[0]).toEqual(inputsOf(series, "test")[0]);
  });
});
