/** Reads one column of a CSV file as a series, row by row: the file is never held in memory as a whole. */
import { createReadStream } from "node:fs";
import { CsvError, type Info, parse } from "csv-parse";
import { dayIn, numberIn, quote } from "./tableCells.js";
import { DataError } from "./dataError.js";
import type { Series } from "./series.js";

export interface SeriesOptions {
  /** The column to forecast, by its name in the first row. */
  readonly column: string;
  /** The column with the date of each row; without it the rows are just taken in order. */
  readonly date?: string | undefined;
  /** What the column is measured in. */
  readonly unit?: string;
  /** How messages name the file; its path where nothing is given. */
  readonly shownAs?: string;
}

/**
 * The column of a CSV file (cells between commas, UTF-8, names in the first row, rows in order of time).
 *
 * @throws DataError, in one line, for a file that is missing, cannot be read or has no rows, a column that is not there (it lists those
 * that are) or there twice, a row with a missing cell, an empty cell, a cell that is not a finite number, and a date that is not one,
 * or does not come after the date of the row before it.
 */
export async function readSeries(path: string, options: SeriesOptions): Promise<Series> {
  const file = options.shownAs ?? path;
  const rows = new SeriesRows(file, options);
  const source = createReadStream(path);
  const parser = source.pipe(parse({ bom: true, trim: true, info: true, relax_column_count: true }));
  source.on("error", (error) => parser.destroy(error));
  try {
    const records = parser as AsyncIterable<{ info: Info; record: string[] }>;
    for await (const { info, record } of records) rows.add(record, info.lines);
  } catch (error) {
    throw readable(error, file);
  } finally {
    source.destroy();
  }
  return rows.series();
}

/** Takes the rows of a table one by one and keeps the two cells that matter of each. */
class SeriesRows {
  readonly #file: string;
  readonly #options: SeriesOptions;
  readonly #values: number[] = [];
  readonly #days: number[] = [];
  #columns: readonly string[] | undefined;
  #column = -1;
  #date = -1;
  #blankLine: number | undefined;

  constructor(file: string, options: SeriesOptions) {
    this.#file = file;
    this.#options = options;
  }

  add(cells: readonly string[], line: number): void {
    if (cells.length === 1 && cells[0] === "") {
      this.#blankLine ??= line;
      return;
    }
    // Blank lines are fine at the end; anywhere else a row may be missing there, and the rows around it would become neighbours.
    if (this.#blankLine !== undefined) {
      throw new DataError(`${this.#file}, line ${this.#blankLine}: the line is empty; fill it in or remove it`);
    }
    if (this.#columns === undefined) this.#readHeader(cells);
    else this.#readRow(cells, line, this.#columns.length);
  }

  series(): Series {
    if (this.#columns === undefined) throw new DataError(`${this.#file} is empty; expected a first row with the names of the columns`);
    if (this.#values.length === 0) throw new DataError(`${this.#file} has no rows below the names of its columns`);
    return {
      file: this.#file,
      name: this.#options.column,
      unit: this.#options.unit ?? "",
      values: Float64Array.from(this.#values),
      days: this.#date < 0 ? null : Int32Array.from(this.#days),
    };
  }

  #readHeader(names: readonly string[]): void {
    this.#columns = names;
    this.#column = this.#indexOf(this.#options.column, names);
    if (this.#options.date !== undefined) this.#date = this.#indexOf(this.#options.date, names);
  }

  #indexOf(name: string, names: readonly string[]): number {
    const index = names.indexOf(name);
    if (index < 0) {
      const hint = names.length === 1 && /[;\t]/.test(names[0]!) ? " (cells must be separated by commas)" : "";
      throw new DataError(`${this.#file} has no column ${quote(name)}; its columns are ${names.map(quote).join(", ")}${hint}`);
    }
    if (names.includes(name, index + 1)) throw new DataError(`${this.#file} has two columns ${quote(name)}; rename one of them`);
    return index;
  }

  #readRow(cells: readonly string[], line: number, width: number): void {
    if (cells.length !== width) {
      throw new DataError(`${this.#file}, line ${line}: expected ${width} cells as in the first row, got ${cells.length}`);
    }
    const place = (name: string) => () => `${this.#file}, line ${line}, column ${name}`;
    this.#values.push(numberIn(cells[this.#column]!, place(this.#options.column)));
    if (this.#date >= 0) this.#days.push(dayIn(cells[this.#date]!, this.#days.at(-1), place(this.#options.date!)));
  }
}

/** What the file system or the parser has to say, in the words of a reader who knows neither. */
function readable(error: unknown, file: string): unknown {
  if (error instanceof CsvError) return new DataError(`${file} is not a CSV file: ${error.message}`);
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return new DataError(`${file}: there is no such file`);
  if (code === "EISDIR") return new DataError(`${file} is a folder; expected a CSV file`);
  if (code === "EACCES" || code === "EPERM") return new DataError(`${file}: no permission to read it`);
  return error;
}
