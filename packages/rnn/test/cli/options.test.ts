import { describe, expect, it, vi } from "vitest";
import { readOptions, UsageError } from "../../src/cli/options.js";

const read = (line: string) => readOptions(line === "" ? [] : line.split(" "), "/home/someone");

describe("the command line", () => {
  it("needs nothing", () => {
    expect(read("")).toEqual({
      own: null,
      out: { shown: "forecast-report.html", path: "/home/someone/forecast-report.html" },
      epochs: 60,
      seed: 1,
    });
  });

  it("takes a file of the user's, relative to where the user is", () => {
    expect(read("--data ../sales.csv --column sold --date day --out=/tmp/x.html --epochs 3 --seed 0")).toEqual({
      own: { data: { shown: "../sales.csv", path: "/home/sales.csv" }, column: "sold", date: "day" },
      out: { shown: "/tmp/x.html", path: "/tmp/x.html" },
      epochs: 3,
      seed: 0,
    });
  });

  it("takes names that look like numbers as they stand", () => {
    expect(read("--data 1e3 --column=007")?.own).toMatchObject({ data: { shown: "1e3" }, column: "007" });
  });

  it("takes the -- that pnpm passes on", () => {
    expect(read("-- --epochs 2")?.epochs).toBe(2);
  });

  it.each([
    ["--fast", /Unknown option `--fast`/],
    ["-x", /Unknown option `-x`/],
    ["--epoch 3", /Unknown option `--epoch`/],
    ["file.csv", /Unused args: `file.csv`/],
    ["--out", /--out.* value is missing/],
    ["--out=", /--out/],
    ["--data a.csv", /--data needs --column/],
    ["--column x", /--column goes with --data/],
    ["--date x", /--date goes with --data/],
    ["--data a.csv --column x --out ./a.csv", /--out is the same file as --data/],
    ["--data a.csv --data b.csv --column x", /--data is given more than once/],
    ["--epochs 0", /--epochs must be a whole number from 1/],
    ["--epochs 2.5", /--epochs must be a whole number/],
    ["--epochs many", /--epochs must be a whole number from 1 to 100000, got many/],
    ["--epochs=-3", /--epochs must be a whole number/],
    ["--epochs -3", /Unknown option `-3`/],
    ["--epochs 1e3", /--epochs must be a whole number/],
    ["--seed=-1", /--seed must be/],
    ["--seed 99999999999999999999", /--seed must be a whole number from 0/],
  ])("does not take %s", (line, message) => {
    expect(() => read(line)).toThrow(UsageError);
    expect(() => read(line)).toThrow(message);
  });

  it("shows every option on --help", () => {
    const shown = vi.spyOn(console, "info").mockImplementation(() => {});
    expect(read("--help")).toBeNull();
    expect(read("-h")).toBeNull();
    const text = shown.mock.calls[0]!.join("");
    shown.mockRestore();
    for (const option of ["--data", "--column", "--date", "--out", "--epochs", "--seed", "Ctrl-C", "Exit codes"])
      expect(text).toContain(option);
  });
});
