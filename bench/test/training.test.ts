import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TRAINING_CASES } from "../src/recurrent/cases.js";
import { trainingTimes } from "../src/recurrent/clock.js";
import { type CompileMeasurement, type CompileResult, callTime, compileTime } from "../src/recurrent/compileTime.js";
import { flatResults, mapParams, PARAMETERS, recurrentProblem } from "../src/recurrent/problem.js";
import { readReference, recurrentReference, writeReference } from "../src/recurrent/reference.js";
import { bestPeer, figureOf, type TrainingMeasurement, trainingRatio, type TrainingResult } from "../src/recurrent/results.js";
import { compileTable, trainingTables } from "../src/recurrent/tables.js";
import { trainingTargets } from "../src/recurrent/targets.js";
import type { Training } from "../src/recurrent/training.js";
import { keptText, type Provenance } from "../src/provenance.js";
import { type Results, withOthers } from "../src/results.js";
import { type Verdict, verdicts } from "../src/targets.js";

const rounds = (...steps: readonly number[]): TrainingMeasurement[] =>
  steps.map((step) => ({ whole: 1000 * step, first: 100 * step, twenty: 120 * step, step }));

const lstm: TrainingResult = {
  name: "recurrent-lstm-16-1-32",
  title: "LSTM of 16",
  kind: "lstm",
  size: { hidden: 16, batch: 1, steps: 32 },
  absent: { tfjs: "not run: a step takes more than 2 s" },
  rounds: {
    compiled: rounds(1, 2, 1),
    torch: rounds(10, 10, 10),
    jax: rounds(20, 20, 20),
    brain: rounds(9, 8, 7).map((m) => ({ ...m, twenty: null })),
  },
};

const measurement: CompileMeasurement = {
  fresh: { call: 150, step: 40 },
  warm: { call: 70, step: 40 },
  length: { call: 45, step: 35 },
};
const compiling: CompileResult = { rounds: [measurement] };

const results: Results = { timed: [], memory: [], startup: null, training: [lstm], compiling, node: "24.21.0" };

describe("figures of training steps", () => {
  test("ratios are taken round by round", () => {
    expect(trainingRatio(lstm, "compiled", "torch", "step")).toEqual({ median: 0.1, low: 0.1, high: 0.2 });
  });

  test("what was not measured has none", () => {
    expect(trainingRatio(lstm, "eager", "torch", "step")).toBeNull();
    expect(figureOf(lstm, "brain", "twenty")).toBeNull();
  });

  test("the best other library is another one for each figure, and never PyTorch", () => {
    expect(bestPeer(lstm, "step")).toBe("brain");
    expect(bestPeer(lstm, "twenty")).toBe("jax");
    expect(bestPeer({ ...lstm, rounds: {} }, "step")).toBeNull();
  });

  test("a compilation takes what the first call takes longer than others", () => {
    expect(callTime(compiling, "warm")).toBe(70);
    expect(compileTime(compiling, "length")).toBe(10);
  });
});

test("what is measured anew takes its place among the other cases, which stay, and say of when they are", () => {
  const gru: TrainingResult = { ...lstm, name: "recurrent-gru-16-1-32", kind: "gru" };
  const anew: TrainingResult = { ...lstm, rounds: { compiled: rounds(3) } };
  const more: TrainingResult = { ...lstm, name: "recurrent-rnn-16-1-32", kind: "rnn" };
  const joined = withOthers({ ...results, training: [more, anew], compiling: null }, { ...results, training: [lstm, gru] });
  expect(joined.training).toEqual([anew, gru, more]);
  expect(joined.compiling).toBe(compiling);
  const source: Provenance = {
    date: "2026-01-02T03:04:05Z",
    node: "20.20.2",
    torch: null,
    cpu: "one",
    cores: 1,
    commit: "abc",
    rounds: 3,
    trainingRounds: 2,
    disturbances: null,
  };
  expect(keptText(source)).toBe("");
  expect(keptText({ kept: { but: ["recurrent", "mlp"], source } })).toBe(
    " All that is not recurrent, mlp was measured on 2026-01-02 at abc, Node 20.20.2, 3 rounds (training steps: 2).",
  );
});

describe("targets of training steps", () => {
  const judged = verdicts(results).map(({ what, measured, reached }: Verdict) => [what, measured, reached]);

  test("those that were measured are judged", () => {
    expect(judged).toEqual([
      ["LSTM 16: compiled over PyTorch", 0.1, true],
      ["LSTM 16: the quickest other library over compiled", 7, false],
      ["LSTM 16, call to first result: @jax-js/jax over compiled", 20, true],
      ["compiled LSTM 128, call to first result, fresh process", 150, true],
      ["the same, a second network, warm", 70, false],
      ["the same, another length, without the step itself", 10, true],
    ]);
  });

  test("bounds against PyTorch depend on the version of Node, and there are none for others", () => {
    const bounds = (node: string) =>
      trainingTargets(node)
        .filter(({ what }) => what === "LSTM 128: compiled over PyTorch")
        .map(({ bound }) => bound);
    expect([bounds("20.20.2"), bounds("24.21.0"), bounds("22.1.0")]).toEqual([[2.2], [1.7], []]);
  });

  test("every size of every kind has a bound", () => {
    const named = trainingTargets("20.20.2").filter(({ what }) => what.endsWith("compiled over PyTorch"));
    expect(named).toHaveLength(TRAINING_CASES.length);
  });
});

describe("tables of training steps", () => {
  test("show every variant, and why one is not there", () => {
    const table = trainingTables([lstm]).find(({ rows }) => rows.length > 0)!;
    const rowOf = (start: string) => table.rows.find(([first]) => first!.trim().startsWith(start))!;
    expect(rowOf("PyTorch").slice(1, 6)).toEqual(["10.0 s", "1.00 s", "1.20 s", "10.0 ms", "1"]);
    expect(rowOf("@unroll/rnn, compiled").slice(4)).toEqual(["1.00 ms", "0.100", "0.100 to 0.200", "0.143", "0.111 to 0.250"]);
    expect(rowOf("brain.js")[3]).toBe("over 12 s");
    expect(rowOf("@tensorflow/tfjs, wasm")[0]).toContain("not run: a step takes more than 2 s");
    for (const row of table.rows) expect(row).toHaveLength(table.heading.length);
  });

  test("of compilations", () => {
    expect(compileTable(compiling).rows[1]).toEqual(["a second network of equal size, warm", "70.0 ms", "40.0 ms", "30.0 ms"]);
    expect(compileTable(null).rows).toEqual([]);
  });
});

describe("the clock of training steps", () => {
  /** Steps that say they took so long. */
  const claiming = (ms: (call: number) => number) => {
    let calls = 0;
    const run: Training["run"] = (count) => Promise.resolve(Array.from({ length: count }, () => ms(calls++)));
    return { run, results: () => null };
  };

  test("tells the first call, the first twenty and later ones", async () => {
    let begun = 0;
    const times = await trainingTimes(
      claiming((call) => (call === 0 ? 500 : call < 20 ? 100 : 50)),
      0.2,
      () => begun++,
    );
    expect(times).toEqual({ first: 500, twenty: 500 + 19 * 100, step: 50 });
    expect(begun).toBe(1);
  });

  test("does not wait for twenty slow ones", async () => {
    const times = await trainingTimes(
      claiming((call) => (call === 0 ? 9000 : 1500)),
      0.2,
      () => {},
    );
    expect(times).toEqual({ first: 9000, twenty: null, step: 1500 });
  });

  test("takes a few later ones after the longest first call, and however slow they are", async () => {
    const times = await trainingTimes(
      claiming((call) => (call === 0 ? 90_000 : 30_000)),
      0.2,
      () => {},
    );
    expect(times).toEqual({ first: 90_000, twenty: null, step: 30_000 });
  });
});

describe("the problem", () => {
  test("is the same in every process, in single precision", () => {
    const [one, two] = [0, 1].map(() => recurrentProblem("gru", { hidden: 2, batch: 1, steps: 3 }));
    expect(one).toEqual(two);
    expect(PARAMETERS.map((name) => one!.params[name].length)).toEqual([12, 12, 6, 6]);
  });

  test("its results are the loss and the gradients, in order", () => {
    const gradients = mapParams((name) => [PARAMETERS.indexOf(name)]);
    expect([...flatResults(7, gradients)]).toEqual([7, 0, 1, 2, 3]);
  });

  test("its reference goes through a file unchanged", () => {
    const folder = mkdtempSync(join(tmpdir(), "unroll-bench-test-"));
    const reference = recurrentReference(recurrentProblem("rnn", { hidden: 2, batch: 1, steps: 2 }));
    writeReference(join(folder, "reference"), reference);
    expect(readReference(join(folder, "reference"))).toEqual(reference);
    rmSync(folder, { recursive: true });
  });
});
