/** What pages say of the code, and what scripts write into them, is so. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { forecastSection, demoForecast } from "../scripts/docs/forecast.js";
import { block, withBlock } from "../scripts/docs/blocks.js";
import { PARTS } from "../scripts/docs/parts.js";
import { type BenchResults, speedSection } from "../scripts/docs/speed.js";
import { LAYERS } from "../scripts/layers.js";
import { publicNames, ROOT } from "./publicNames.js";

const PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "packages/autograd/README.md", "packages/rnn/README.md"];
const read = (page: string): string => readFileSync(join(ROOT, page), "utf8");

test.for(PARTS)("$what is what its script writes", ({ current, due }) => {
  expect(current()).toBe(due());
});

test.for(PAGES)("the links of %s lead to files that are there", (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path!);
  expect(links.filter((path) => !existsSync(join(ROOT, dirname(page), path)))).toEqual([]);
});

test("the files that ARCHITECTURE.md names are there", () => {
  const names = [...read("ARCHITECTURE.md").matchAll(/`((?:ops|tape|transforms|wasm|program|test|scripts|packages)\/[\w/.]+\.ts)`/g)].map(
    ([, name]) => name!,
  );
  const missing = names.filter(
    (name) => !["", "packages/autograd", "packages/autograd/src"].some((folder) => existsSync(join(ROOT, folder, name))),
  );
  expect(names.length).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});

test("the layers of ARCHITECTURE.md are those that are checked", () => {
  const listed = [...read("ARCHITECTURE.md").matchAll(/^ {2}(\w+) +->(.*)$/gm)];
  const layers = listed.map(([, name, imports]): [string, string[]] => [name!, imports!.trim().split(/\s+/).filter(Boolean)]);
  expect(Object.fromEntries(layers)).toEqual(LAYERS["packages/autograd"]);
});

let known: ReadonlySet<string> | undefined;

test.for(["autograd", "rnn"])("the functions that the README of %s lists are there", (name) => {
  const lists = read(`packages/${name}/README.md`).match(/^- \*\*.*$/gm) ?? [];
  const listed = lists.flatMap((line) => [...line.matchAll(/`(\w+)`/g)].map(([, listedName]) => listedName!));
  known ??= new Set(publicNames().map((exported) => exported.name));
  expect(listed.length).toBeGreaterThan(10);
  expect(listed.filter((listedName) => known?.has(listedName) !== true)).toEqual([]);
});

test("the operations that the README of autograd says run on plain kernels are those of the test that counts them", () => {
  const [, paragraph = ""] = /^\*Plain kernels\*: ([\s\S]*?)\n\n/m.exec(read("packages/autograd/README.md")) ?? [];
  const [, counted = ""] = /^const PLAIN = \[(.*)\];$/m.exec(read("packages/autograd/test/program/proof.test.ts")) ?? [];
  const names = [...counted.matchAll(/"(\w+)"/g)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !paragraph.includes(`\`${name}\``))).toEqual([]);
});

describe("blocks", () => {
  const page = "a\n<!-- one: by a script -->\nold\n<!-- /one -->\nb\n";

  test("a block is read and replaced, and nothing else", () => {
    expect(block(page, "one")).toBe("old\n");
    expect(withBlock(page, "one", "new\n")).toBe(page.replace("old", "new"));
  });

  test("a page without the block is an error", () => {
    expect(() => block(page, "two")).toThrow("no block");
  });
});

describe("the tables of speed", () => {
  const times = (...list: number[]) => list.map((both) => ({ both, forward: both / 2, backward: both / 2 }));
  const steps = (...list: number[]) => list.map((step) => ({ whole: 1, first: 1, twenty: 1, step }));
  const verdict = { unit: "times", atLeast: false } as const;
  const results: BenchResults = {
    date: "2026-01-02T03:04:05Z",
    node: "20.1.0",
    torch: "2.13.0",
    cpu: "a processor",
    cores: 2,
    commit: "abc1234",
    rounds: 3,
    trainingRounds: 2,
    disturbances: { again: 4, left: 1 },
    timed: [
      { name: "t", title: "toy", unit: "node", base: "yardstick", absent: {}, rounds: { engine: times(30, 50, 40), yardstick: times(20) } },
      {
        name: "s",
        title: "scan",
        unit: "loss",
        base: "handwritten",
        absent: {},
        rounds: { compiled: times(7e3), handwritten: times(6e3) },
      },
      { name: "a", title: "add", unit: "call", base: "loop", absent: {}, rounds: { engine: times(3e3, 8e3), loop: times(1e3, 2e3) } },
    ],
    training: [
      {
        name: "l",
        title: "LSTM",
        kind: "lstm",
        size: { hidden: 16, batch: 1, steps: 32 },
        absent: {},
        rounds: { compiled: steps(1, 2), torch: steps(2, 8), torchAvx2: steps(4, 8), jax: steps(20, 30), tfjs: steps(30, 40) },
      },
    ],
    targets: [
      { ...verdict, what: "toy", measured: 2, bound: 2.5, reached: true },
      { ...verdict, what: "add", measured: 3.5, bound: 3, reached: false },
      { ...verdict, what: "jax", measured: 7, bound: 10, reached: false, atLeast: true },
    ],
  };

  test("show medians, ratios round by round, and what was not reached", () => {
    const text = speedSection(results, null);
    expect(text).toContain("| toy | 40.0 | 20.0 |  |  |");
    expect(text).toContain("| scan | 7.00 µs |  | 6.00 µs |");
    expect(text).toContain("| add | 5.50 µs | 1.50 µs | 3.50 |  |");
    expect(text).toContain("| LSTM | 1.50 ms | 0.375 (0.250) | 17.5 (@jax-js/jax) |");
    expect(text).toContain("1 of 3 targets of the bench were reached; not reached: add (3.50, target 3); jax (7.00, target at least 10).");
    expect(text).toContain("Against PyTorch held to AVX2, 0 of 1 are reached on Node 20; not reached: LSTM 16: compiled over");
    expect(text).toContain(
      "Medians of 3 rounds (training steps: 2) at commit abc1234, 2026-01-02: Node 20.1.0, PyTorch 2.13.0, a processor, 2 cores. 4 processes were run again",
    );
  });

  test("put the other version of Node beside", () => {
    const text = speedSection(results, { ...results, node: "24.1.0", training: [] });
    expect(text).toContain("| LSTM | 1.50 ms | 0.375 (0.250) | 17.5 (@jax-js/jax) |  |  |");
    expect(text).toContain("reached on Node 20; not");
    expect(text).toContain("reached on Node 24; not");
    expect(text).toContain(": Node 24.1.0,");
  });

  test("say that nothing was measured yet", () => {
    expect(speedSection(null, null)).toContain("not been run");
  });
});

/** Every number with a decimal point, in order. */
const numbersIn = (text: string): number[] => [...text.matchAll(/\d+\.\d+/g)].map(Number);

async function checkForecast(): Promise<void> {
  const shown = block(read("README.md"), "forecast");
  const due = forecastSection(await demoForecast());
  const withoutNumbers = (text: string) => text.replaceAll(/\d+\.\d+/g, "#").replaceAll(/on \d+ of/g, "on # of");
  expect(withoutNumbers(shown)).toBe(withoutNumbers(due));
  // Math.exp and Math.tanh differ in the last place between versions of V8, and 500 steps of training lie behind the figures.
  numbersIn(due).forEach((number, k) => expect(numbersIn(shown)[k]).toBeCloseTo(number, 1));
}

// It takes as long as the demo.
if (process.env["UNROLL_FULL"] === "1") test("the forecast's figures in the README are those of the demo", checkForecast);
