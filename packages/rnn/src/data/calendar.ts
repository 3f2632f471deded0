/** Days as whole numbers, counted from 1970-01-01, in the proleptic Gregorian calendar; no time zones take part. */

const MS_PER_DAY = 86_400_000;

/** How many different days a calendar has, 29 February included. */
export const CALENDAR_DAYS = 366;

const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** The day of a text `YYYY-MM-DD`; null where it is none, or names a day that does not exist. */
export function parseDay(text: string): number | null {
  const match = ISO_DATE.exec(text);
  if (match === null) return null;
  const [year, month, date] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const time = new Date(0).setUTCFullYear(year, month - 1, date);
  const day = time / MS_PER_DAY;
  return formatDay(day) === text ? day : null;
}

/** `YYYY-MM-DD`. */
export function formatDay(day: number): string {
  return new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
}

export function yearOf(day: number): number {
  return new Date(day * MS_PER_DAY).getUTCFullYear();
}

/**
 * The place of a day in the calendar of a leap year, 0 for 1 January to 365 for 31 December, so that a date has the same place in every
 * year; 59 is 29 February, which other years leave out.
 */
export function calendarDay(day: number): number {
  const date = new Date(day * MS_PER_DAY);
  return (Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0, 1)) / MS_PER_DAY;
}
