import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "@unroll/autograd";
import { describe, expect, it } from "vitest";
import { readSeries } from "../../src/data/csv.js";
import { DataError } from "../../src/data/dataError.js";
import { readSeattle } from "../../src/data/seattle.js";
import { rowNoun } from "../../src/data/series.js";
import { BAD_FILES } from "./badFiles.js";
import { fileIn, temporaryFolder } from "./files.js";

const folder = temporaryFolder();
const read = (content: string | Buffer, dated = false) =>
  readSeries(fileIn(folder, "data.csv", content), { column: "level", date: dated ? "day" : undefined, shownAs: "data.csv" });

describe("reading a column", () => {
  it("gives the values in order", async () => {
    const { values, days, name } = await read("level,other\n1,x\n-2.5,y\n+3e2,z\n.5,\n");
    expect([...values]).toEqual([1, -2.5, 300, 0.5]);
    expect(days).toBeNull();
    expect(name).toBe("level");
  });

  it("gives dates as days", async () => {
    const { days } = await read("day,level\n1970-01-01,1\n1970-01-03,2\n2000-02-29,3\n", true);
    expect([...days!]).toEqual([0, 2, 11016]);
  });

  it("takes a byte order mark, Windows line ends, spaces around cells, quotes, a missing last line end and empty lines at the end", async () => {
    expect([...(await read('\uFEFFday, level \r\na, "1" \r\nb,2')).values]).toEqual([1, 2]);
    expect([...(await read("level\n1\n2\n\n\n")).values]).toEqual([1, 2]);
  });

  it("counts the lines of cells that go over several", async () => {
    await expect(read('day,level\n"a\nb",1\nc,x\n')).rejects.toThrow(/line 4, column level/);
  });

  it("reads a file that is longer than one chunk", async () => {
    const rows = 100_000;
    const { values } = await read(`level\n${Array.from({ length: rows }, (_, i) => i / 8).join("\n")}\n`);
    expect(values.length).toBe(rows);
    expect(values.every((value, i) => value === i / 8)).toBe(true);
  });
});

describe("one clear line for", () => {
  it.each(BAD_FILES)("$what", async ({ content, dated, message }) => {
    const error = await read(content, dated).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DataError);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/^data\.csv/);
    expect((error as Error).message).not.toMatch(/[\n\r]/);
  });

  it("a file that is not there", async () => {
    await expect(readSeries(join(folder, "none.csv"), { column: "level" })).rejects.toThrow(/none\.csv: there is no such file$/);
  });

  it("a folder", async () => {
    mkdirSync(join(folder, "sub"));
    await expect(readSeries(join(folder, "sub"), { column: "level" })).rejects.toThrow(/is a folder; expected a CSV file$/);
  });
});

describe("the built-in data", () => {
  it("has a value for each of 1,461 days without a gap, in degrees", async () => {
    const series = await readSeattle();
    expect(series.values.length).toBe(1461);
    expect(rowNoun(series)).toBe("day");
    expect(series.unit).toBe("°C");
    // The first and last line of the file, and its extremes.
    expect([series.values[0], series.values.at(-1)]).toEqual([12.8, 5.6]);
    expect([Math.min(...series.values), Math.max(...series.values)]).toEqual([-1.6, 35.6]);
  });
});
