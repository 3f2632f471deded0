import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CALENDAR_DAYS, calendarDay, parseDay } from "../../src/data/calendar.js";
import { readSeattle } from "../../src/data/seattle.js";
import type { Series } from "../../src/data/series.js";
import { splitSeries } from "../../src/data/split.js";
import { accuracyOf } from "../../src/forecast/accuracy.js";
import { baselinesOf, firstOrder, fitDampedAnomaly, persistence } from "../../src/forecast/baselines.js";
import { climatology } from "../../src/forecast/climatology.js";

const seriesOf = <D extends Int32Array | null>(values: number[], days: D): Series & { days: D } => ({
  file: "data.csv",
  name: "level",
  unit: "",
  values: Float64Array.from(values),
  days,
});
const daysOf = (...dates: string[]) => Int32Array.from(dates, (date) => parseDay(date)!);
const rowsOf = (start: number, end: number) => Int32Array.from({ length: end - start }, (_, i) => start + i);

describe("errors", () => {
  it("are the mean absolute and the root mean squared one", () => {
    const { mae, rmse } = accuracyOf(Float64Array.of(1, 5), Float64Array.of(0, 0, 4, 1), Int32Array.of(2, 3));
    expect(mae).toBe(3.5);
    expect(rmse).toBe(Math.sqrt((9 + 16) / 2));
  });
});

describe("tomorrow = today", () => {
  it("is the row before", () => {
    const { forecast } = persistence(seriesOf([3, 1, 4], null));
    expect([forecast(1), forecast(2)]).toEqual([3, 1]);
  });
});

describe("climatology", () => {
  const days = daysOf("2012-02-28", "2012-02-29", "2012-03-01", "2013-02-28", "2013-03-01");
  const values = Float64Array.of(1, 10, 3, 5, 7);
  const at = (date: string) => calendarDay(parseDay(date)!);

  it("with no width is the day-of-year mean, the same date with the same date, leap year or not", () => {
    const usual = climatology(values, days, 0);
    expect(usual[at("2014-02-28")]).toBe((1 + 5) / 2);
    expect(usual[at("2014-03-01")]).toBe((3 + 7) / 2);
    expect(usual[at("2016-02-29")]).toBe(10);
  });

  it("with a width takes the days around, each with equal weight", () => {
    expect(climatology(values, days, 1)[at("2014-02-28")]).toBe((1 + 5 + 10) / 3);
    expect(climatology(values, days, 1)[at("2016-02-29")]).toBe((1 + 5 + 10 + 3 + 7) / 5);
  });

  it("goes round the turn of the year", () => {
    const turn = climatology(Float64Array.of(2, 4), daysOf("2012-12-31", "2013-01-02"), 1);
    expect(turn[at("2014-01-01")]).toBe(3);
    expect(turn[at("2014-12-30")]).toBe(2);
  });

  it("takes the nearest days where there are none, so that every date has a number", () => {
    const usual = climatology(values, days, 0);
    expect(usual[at("2014-02-20")]).toBe(3);
    expect(usual.every(Number.isFinite)).toBe(true);
    expect(usual.length).toBe(CALENDAR_DAYS);
  });
});

describe("calendar mean + anomaly", () => {
  it("agrees with the numbers worked out by hand", () => {
    // Two days of two years: usual 2 and 4. Anomalies -1, -2 | 1, 2; pairs (-1, -2), (-2, 1), (1, 2) within the training part.
    const days = daysOf("2011-05-01", "2011-05-02", "2012-05-01", "2012-05-02", "2013-05-01", "2013-05-02");
    const series = seriesOf([1, 2, 3, 6, 5, 100], days);
    const { forecast } = fitDampedAnomaly(series, { start: 0, end: 4 }, 0);
    const coefficient = (-1 * -2 + -2 * 1 + 1 * 2) / (1 + 4 + 1);
    expect(forecast(5)).toBeCloseTo(4 + coefficient * (5 - 2), 14);
    expect(forecast(4)).toBeCloseTo(2 + coefficient * (6 - 4), 14);
  });

  it("does not depend on what comes after the training part, but for the row before", () => {
    const days = Int32Array.from({ length: 60 }, (_, i) => 15_000 + 30 * i);
    fc.assert(
      fc.property(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 60, maxLength: 60 }), (numbers) => {
        const training = { start: 0, end: 40 };
        const changed = numbers.map((value, i) => (i >= 40 && i !== 49 ? 1e6 : value));
        const [one, other] = [numbers, changed].map((values) => fitDampedAnomaly(seriesOf(values, days), training, 7).forecast(50));
        expect(one).toBe(other);
      }),
    );
  });

  it("of the built-in data is at least as good, on the validation year, as with the plain day-of-year mean", async () => {
    const series = await readSeattle();
    const split = splitSeries(series, 14);
    const rows = rowsOf(split.validation.start, split.validation.end);
    const rmse = (forecast: (row: number) => number) => accuracyOf(Float64Array.from(rows, forecast), series.values, rows).rmse;
    const plain = fitDampedAnomaly({ ...series, days: series.days! }, split.training, 0);
    const [today, chosen] = baselinesOf(series, split);
    expect(rmse(chosen.forecast)).toBeLessThan(rmse(plain.forecast));
    // Computed apart from this program, from the definitions, in plain Python.
    expect(rmse(today.forecast)).toBeCloseTo(2.9553573364825745, 12);
    expect(rmse(chosen.forecast)).toBeCloseTo(2.710430669679278, 12);
    expect(rmse(plain.forecast)).toBeCloseTo(3.2970601572942035, 12);
  });
});

describe("AR(1)", () => {
  it("finds the line that a series follows exactly", () => {
    const values = [10];
    for (let i = 1; i < 20; i++) values.push(3 + 0.5 * values[i - 1]!);
    const { forecast, description } = firstOrder(seriesOf(values, null), { start: 0, end: 12 });
    for (let row = 1; row < 20; row++) expect(forecast(row)).toBeCloseTo(values[row]!, 10);
    expect(description).toContain("3.000 plus 0.500 times");
  });

  it("is fitted by least squares: no other line is better on the training part", () => {
    const values = [1, 3, 2, 5, 4, 6, 100, -100];
    const { forecast } = firstOrder(seriesOf(values, null), { start: 0, end: 6 });
    const squares = (f: (row: number) => number) => [1, 2, 3, 4, 5].reduce((sum, row) => sum + (values[row]! - f(row)) ** 2, 0);
    const slope = forecast(2) - forecast(1) === 0 ? 0 : (forecast(2) - forecast(1)) / (values[1]! - values[0]!);
    const intercept = forecast(1) - slope * values[0]!;
    for (const [a, b] of [
      [0.01, 0],
      [-0.01, 0],
      [0, 0.01],
      [0, -0.01],
    ] as const) {
      expect(squares((row) => intercept + a + (slope + b) * values[row - 1]!)).toBeGreaterThan(squares(forecast));
    }
  });

  it("forecasts a constant series as that constant", () => {
    expect(firstOrder(seriesOf([4, 4, 4, 4], null), { start: 0, end: 4 }).forecast(3)).toBe(4);
  });
});
