/** What is usual at a time of year. */
import { CALENDAR_DAYS, calendarDay } from "../data/calendar.js";

/**
 * For each place in the calendar (see `calendarDay`) the mean of the values up to `halfWidth` days before or after it, in any of the
 * years: with a half-width of 0 the plain day-of-year mean. It goes round the turn of the year. 29 February has a place of its own, so
 * that every other date is compared with the same date. Where no value is near enough, the nearest ones are taken.
 *
 * @returns 366 means, in the unit of the values.
 */
export function climatology(values: Float64Array, days: Int32Array, halfWidth: number): Float64Array {
  const sums = new Float64Array(CALENDAR_DAYS);
  const counts = new Float64Array(CALENDAR_DAYS);
  for (let i = 0; i < values.length; i++) {
    const place = calendarDay(days[i]!);
    sums[place]! += values[i]!;
    counts[place]! += 1;
  }
  return Float64Array.from({ length: CALENDAR_DAYS }, (_, place) => meanAround(place, halfWidth, sums, counts));
}

function meanAround(place: number, halfWidth: number, sums: Float64Array, counts: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (let distance = 0; distance <= CALENDAR_DAYS / 2 && (distance <= halfWidth || count === 0); distance++) {
    const after = (place + distance) % CALENDAR_DAYS;
    const before = (place + CALENDAR_DAYS - distance) % CALENDAR_DAYS;
    sum += sums[after]! + (before === after ? 0 : sums[before]!);
    count += counts[after]! + (before === after ? 0 : counts[before]!);
  }
  return sum / count;
}
