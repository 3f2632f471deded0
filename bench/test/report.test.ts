import { describe, expect, test } from "vitest";
import { isSelected, type Options, parseOptions } from "../src/options.js";
import { markdownPage } from "../src/report/markdown.js";
import { tablesOf } from "../src/report/tables.js";
import { terminalTable } from "../src/report/terminal.js";
import { median, type Measurement, ratio, type Results, type TimedResult } from "../src/results.js";
import { type Target, verdicts } from "../src/targets.js";

const times = (...both: readonly number[]): Measurement[] => both.map((x) => ({ both: x, forward: 0.75 * x, backward: 0.25 * x }));

const mlp: TimedResult = {
  name: "mlp",
  title: "scalar network",
  unit: "node",
  base: "yardstick",
  absent: { handwritten: "nobody wrote it" },
  rounds: { engine: times(40, 90, 44), yardstick: times(20, 30, 20), closures: times(800, 900, 1000) },
};

const results: Results = {
  timed: [mlp],
  memory: [
    { name: "forward-toy", title: "forward-only loop", peak: 250, growth: null, nodes: 1e8, perNode: 30 },
    { name: "training", title: "training loop", peak: 90, growth: { early: 80, late: 88 }, nodes: null, perNode: null },
  ],
  startup: { empty: [50, 52], gradient: [60, 65] },
  training: [],
  compiling: null,
  node: "20.20.2",
};

describe("figures", () => {
  test("a ratio is the median over the rounds of the ratios within a round", () => {
    expect(ratio(mlp, "engine", "yardstick")).toEqual({ median: 2.2, low: 2, high: 3 });
  });

  test("a variant that was not measured has no ratio", () => {
    expect(ratio(mlp, "handwritten", "yardstick")).toBeNull();
  });

  test("the median of an even number of figures lies between the middle two; of none there is none", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow("no measurements");
  });
});

describe("targets", () => {
  const verdictOf = (target: Partial<Target>) =>
    verdicts(results, [{ what: "x", unit: "times", bound: 2, measured: () => 1, ...target }]).map(({ reached }) => reached);

  test("an upper bound, a lower bound, not a number, not measured", () => {
    expect(verdictOf({ measured: () => 2 })).toEqual([true]);
    expect(verdictOf({ measured: () => 2.01 })).toEqual([false]);
    expect(verdictOf({ measured: () => 1.99, atLeast: true })).toEqual([false]);
    expect(verdictOf({ measured: () => 2, atLeast: true })).toEqual([true]);
    expect(verdictOf({ measured: () => NaN })).toEqual([false]);
    expect(verdictOf({ measured: () => NaN, atLeast: true })).toEqual([false]);
    expect(verdictOf({ measured: () => null })).toEqual([]);
  });

  test("those of the measured cases alone are judged", () => {
    expect(verdicts(results).map(({ what, measured, reached }) => [what, Number(measured.toFixed(3)), reached])).toEqual([
      ["scalar network: engine over yardstick", 2.2, true],
      ["scalar network: closures over engine", 20, true],
      ["forward-only loop, toy network: peak", 250, false],
      ["training loop: all steps over the first tenth", 1.1, true],
      ["start of the process to the first gradient, over an empty process", 1.225, true],
    ]);
  });
});

describe("reports", () => {
  const tables = tablesOf(results);

  test("the terminal shows what was measured and whether it is enough", () => {
    const text = tables.map(terminalTable).join("\n");
    expect(text).toContain("scalar network: closures over engine");
    expect(text).toMatch(/forward-only loop, toy network: peak +250 MB +at most 200 MB +NOT reached/);
    expect(text).toMatch(/@unroll\/autograd +33\.0 +11\.0 +44\.0 +2\.20 +2\.00 to 3\.00/);
    expect(text).toContain("handwritten recurrence: nobody wrote it");
  });

  test("the page holds the same tables and says where they come from", () => {
    const source = {
      date: "2026-11-24T10:00:00.000Z",
      node: "20.20.2",
      torch: null,
      cpu: "some processor",
      cores: 2,
      commit: "abc1234",
      rounds: 3,
      trainingRounds: 3,
      disturbances: null,
    };
    const page = markdownPage(tables, source);
    expect(page).toContain("| forward-only loop, toy network: peak | 250 MB | at most 200 MB | NOT reached |");
    expect(page).toContain("| **scalar network** |");
    expect(page).toContain("Measured on 2026-11-24 at abc1234: Node 20.20.2, some processor, 2 cores, 3 rounds.");
    for (const line of page.split("\n").filter((line) => line.startsWith("| "))) expect(line).toMatch(/^\|( [^|]* \|)+$/);
  });
});

describe("options", () => {
  const names = ["mlp", "toy-100"];

  test("by default everything, five rounds; two when quick", () => {
    expect(parseOptions([], names)).toEqual({ only: [], quick: false, rounds: 5, trainingRounds: 5, node: null, renew: false, out: null });
    expect(parseOptions(["--", "--quick", "--only", "mlp", "--only", "toy-100"], names)).toEqual({
      only: ["mlp", "toy-100"],
      quick: true,
      rounds: 2,
      trainingRounds: 2,
      node: null,
      renew: false,
      out: null,
    });
  });

  test("another binary of Node and another folder", () => {
    expect(parseOptions(["--node", "24", "--out", "figures"], names)).toMatchObject({ node: "24", out: "figures" });
  });

  test.each([
    ["the case of that name alone", ["--only", "toy-100"], ["toy-100"]],
    ["those that begin so, where none has the name", ["--only", "toy"], ["toy-100", "toy-1000"]],
    ["all, where none is named", [], ["mlp", "toy-100", "toy-1000"]],
  ])("%s", (_, args, expected) => {
    const all = ["mlp", "toy-100", "toy-1000"];
    const options = parseOptions(args, all);
    expect(options).not.toBe("help");
    expect(all.filter((name) => isSelected(name, options as Options, all))).toEqual(expected);
  });

  test.each([
    ["an unknown case", ["--only", "mpl"], "--only mpl: there is no such case; there are mlp, toy-100"],
    ["all cases renewed", ["--renew"], "--renew: goes with --only, and with neither --quick nor --out"],
    ["rounds of training that are no count", ["--training-rounds", "1.5"], "--training-rounds 1.5: expected a whole number from 1"],
    ["rounds that are no count", ["--rounds", "0"], "--rounds 0: expected a whole number from 1"],
    ["an unknown option", ["--fast"], "Unknown option '--fast'"],
  ])("%s is an error that says so", (_, args, message) => {
    expect(() => parseOptions(args, names)).toThrow(message);
  });
});
