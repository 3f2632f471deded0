import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDay } from "../../src/data/calendar.js";
import { DataError } from "../../src/data/dataError.js";
import { readSeattle } from "../../src/data/seattle.js";
import type { Series } from "../../src/data/series.js";
import { splitSeries } from "../../src/data/split.js";

function seriesOf(rows: number, days: Int32Array | null = null): Series {
  return { file: "data.csv", name: "level", unit: "", values: Float64Array.from({ length: rows }, (_, i) => i), days };
}

/** Consecutive days, both ends included. */
function daysFrom(first: string, last: string): Int32Array {
  const start = parseDay(first)!;
  return Int32Array.from({ length: parseDay(last)! - start + 1 }, (_, i) => start + i);
}

describe("the split", () => {
  it("of the built-in data is by years: two, one and one", async () => {
    expect(splitSeries(await readSeattle(), 14)).toEqual({
      training: { start: 0, end: 731 },
      validation: { start: 731, end: 1096 },
      test: { start: 1096, end: 1461 },
      by: "years",
    });
  });

  it("counts only whole years: half a year at either end goes to its neighbour", () => {
    const days = daysFrom("2010-07-01", "2014-06-30");
    const { training, validation, test, by } = splitSeries(seriesOf(days.length, days), 14);
    expect(by).toBe("years");
    expect([days[validation.start], days[test.start]]).toEqual([parseDay("2012-01-01"), parseDay("2013-01-01")]);
    expect([training.start, test.end]).toEqual([0, days.length]);
  });

  it("is by fractions without dates, with fewer than three whole years, and where the years before leave no whole window", () => {
    expect(splitSeries(seriesOf(200), 14)).toEqual({
      training: { start: 0, end: 140 },
      validation: { start: 140, end: 170 },
      test: { start: 170, end: 200 },
      by: "fractions",
    });
    const twoYears = daysFrom("2014-01-01", "2015-12-31");
    expect(splitSeries(seriesOf(twoYears.length, twoYears), 14).by).toBe("fractions");
    const months = Int32Array.from({ length: 36 }, (_, i) => Date.UTC(2013, i, 1) / 86_400_000);
    expect(splitSeries(seriesOf(36, months), 14).by).toBe("fractions");
  });

  it("puts every row into one part, in order of time, with room for two windows in the first", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 30 }), fc.boolean(), (rows, window, dated) => {
        const days = dated ? Int32Array.from({ length: rows }, (_, i) => 15_000 + i) : null;
        let split: ReturnType<typeof splitSeries>;
        try {
          split = splitSeries(seriesOf(rows, days), window);
        } catch (error) {
          return error instanceof DataError && rows < 2 * (window + 8);
        }
        const { training, validation, test } = split;
        expect([training.start, training.end, validation.end, test.end]).toEqual([0, validation.start, test.start, rows]);
        expect(training.end).toBeGreaterThanOrEqual(window + 2);
        expect(validation.end).toBeGreaterThan(validation.start);
        expect(test.end).toBeGreaterThan(test.start);
        return true;
      }),
    );
  });

  it("says how many rows it needs, and takes exactly that many", () => {
    for (const rows of [1, 10, 22]) {
      expect(() => splitSeries(seriesOf(rows), 14)).toThrow(
        rows === 1 ? /^data\.csv has 1 row; at least 23 are needed: .*14 rows before/ : `data.csv has ${rows} rows; at least 23 are needed`,
      );
    }
    expect(splitSeries(seriesOf(23), 14).training.end).toBe(16);
  });
});
