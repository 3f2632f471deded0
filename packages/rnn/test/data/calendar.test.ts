import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calendarDay, formatDay, parseDay, yearOf } from "../../src/data/calendar.js";

const day = fc.integer({ min: -700_000, max: 2_900_000 });

describe("days", () => {
  it("come out of a text and go back into it", () => {
    fc.assert(fc.property(day, (n) => parseDay(formatDay(n)) === n));
  });

  it.each(["2015-1-1", "15-01-01", "2015/01/01", "2015-13-01", "2015-00-10", "2015-04-31", "1900-02-29", "2015-01-01T00:00", "", " "])(
    "%j is none",
    (text) => expect(parseDay(text)).toBeNull(),
  );

  it("know their year, also before 1970 and in the first century", () => {
    expect(yearOf(parseDay("1969-12-31")!)).toBe(1969);
    expect(yearOf(parseDay("0050-06-01")!)).toBe(50);
  });
});

describe("places in the calendar", () => {
  it("are the same for the same date in every year", () => {
    for (const year of [2012, 2013, 2100]) {
      expect(calendarDay(parseDay(`${year}-01-01`)!)).toBe(0);
      expect(calendarDay(parseDay(`${year}-03-01`)!)).toBe(60);
      expect(calendarDay(parseDay(`${year}-12-31`)!)).toBe(365);
    }
    expect(calendarDay(parseDay("2012-02-29")!)).toBe(59);
  });
});
