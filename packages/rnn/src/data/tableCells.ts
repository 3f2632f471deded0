/** What stands in the cells of a table: numbers and dates out of text. */
import { parseDay } from "./calendar.js";
import { DataError } from "./dataError.js";

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const DECIMAL_COMMA = /^[+-]?\d+,\d+$/;
const LONGEST_QUOTE = 40;

/** Where a cell stands, for the message of an error: `weather.csv, line 7, column temp_max`. */
export type Place = () => string;

/** @throws DataError where the cell is empty or holds no finite number. */
export function numberIn(text: string, place: Place): number {
  if (text === "") throw new DataError(`${place()}: the cell is empty; fill it in or remove the row`);
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(number)) return number;
  const hint = DECIMAL_COMMA.test(text) ? "write decimals with a point" : "every row needs a finite number such as 12.8";
  throw new DataError(`${place()}: ${quote(text)} is not a number; ${hint}`);
}

/** @throws DataError where the cell holds no day, or one that does not come after the day `before` it. */
export function dayIn(text: string, before: number | undefined, place: Place): number {
  const day = parseDay(text);
  if (day === null) throw new DataError(`${place()}: ${quote(text)} is not a date; write dates as 2015-01-31`);
  if (before === undefined || day > before) return day;
  if (day === before) throw new DataError(`${place()}: the date ${text} is there twice; leave one row for each date`);
  throw new DataError(`${place()}: the date ${text} is earlier than the one in the row before; sort the rows by date`);
}

/** A text between quotes, on one line and not too long. */
export function quote(text: string): string {
  const shown = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return JSON.stringify(shown);
}
