import { handwrittenRecurrence } from "@unroll/rnn";
import { describe, expect, test } from "vitest";
import { addInLoop, addOnEngine, addReference } from "../src/arrays/add.js";
import { lstmInLoop, lstmOnEngine, lstmReference } from "../src/arrays/lstm.js";
import { matmulInLoop, matmulOnEngine, matmulOnLentKernels, matmulReference } from "../src/arrays/matmul.js";
import { PRODUCTS } from "../src/arrays/products.js";
import { CASES } from "../src/cases.js";
import type { Compile } from "../src/compiler.js";
import { mlpOnClosures } from "../src/mlp/closures.js";
import { mlpOnEngine } from "../src/mlp/engine.js";
import {
  mlpProblem,
  mlpReference,
  operationsPerLoss,
  operationsPerMetric,
  operationsPerPrediction,
  parameterCount,
  POINTS,
  WIDTH,
} from "../src/mlp/problem.js";
import { mlpScan, mlpScanCompiled } from "../src/mlp/scan.js";
import { mlpOnColumns } from "../src/mlp/yardstick.js";
import * as columns from "../src/scalar/columns.js";
import { toyOnClosures } from "../src/toy/closures.js";
import { toyOnEngine } from "../src/toy/engine.js";
import { toyByHand } from "../src/toy/handwritten.js";
import { OPERATIONS_PER_STEP, toyProblem, toyReference } from "../src/toy/problem.js";
import { toyScan, toyScanCompiled } from "../src/toy/scan.js";
import { toyOnColumns } from "../src/toy/yardstick.js";
import { uniformArray } from "../src/uniform.js";
import { disagreement, type Reference, type Workload } from "../src/workload.js";

const uncompiled: Compile = (f) => f;

/** Twice, since a variant that forgets to clear its gradients is right only once. */
function run(workload: Workload): Workload {
  for (let k = 0; k < 2; k++) {
    workload.forward();
    workload.backward?.();
  }
  return workload;
}

describe("the toy network", () => {
  const steps = 12;
  const reference = toyReference(toyProblem(steps));

  test.each([
    ["engine", toyOnEngine],
    ["yardstick", toyOnColumns],
    ["closures", toyOnClosures],
    ["handwritten", toyByHand],
  ])("%s computes the loss and gradients of the reference", (_, workload) => {
    expect(disagreement(run(workload(steps)).results(), reference)).toBeNull();
  });

  test("the reference is the handwritten recurrence of @unroll/rnn", () => {
    const { inputs, targets, ...parameters } = toyProblem(steps);
    const { loss, gradient } = handwrittenRecurrence(parameters, inputs, targets);
    expect(disagreement([loss, gradient.u, gradient.v, gradient.w, gradient.s], reference)).toBeNull();
  });

  test("closures do not overflow the stack on a long chain", () => {
    expect(disagreement(run(toyOnClosures(20_000)).results(), toyReference(toyProblem(20_000)))).toBeNull();
  });

  test("as a scan it has the same loss and gradients", () => {
    expect(disagreement(run(toyScan(steps, uncompiled)).results(), reference)).toBeNull();
  });

  test("and compiled", async () => {
    expect(disagreement(run(await toyScanCompiled(steps)).results(), reference)).toBeNull();
  });
});

describe.each([false, true])("the scalar network, with a metric: %s", (withMetric) => {
  const [width, points] = [3, 4];
  const reference = mlpReference(mlpProblem(width, points), withMetric);

  test.each([
    ["engine", mlpOnEngine],
    ["yardstick", mlpOnColumns],
    ["closures", mlpOnClosures],
  ])("%s computes the loss and gradients of the reference", (_, workload) => {
    expect(disagreement(run(workload(withMetric, width, points)).results(), reference)).toBeNull();
  });
});

test("the scalar network with its points as a scan has the same loss and gradients", () => {
  expect(disagreement(run(mlpScan(uncompiled, 3, 4)).results(), mlpReference(mlpProblem(3, 4), false))).toBeNull();
});

test("and compiled", async () => {
  expect(disagreement(run(await mlpScanCompiled()).results(), mlpReference(mlpProblem(), false))).toBeNull();
});

test("the reference of the scalar network is its loss differenced", () => {
  const problem = mlpProblem(3, 4);
  const { values, scales } = mlpReference(problem, false);
  const lossAt = (k: number, step: number) => {
    const parameters = problem.parameters.slice();
    parameters[k]! += step;
    return mlpReference({ ...problem, parameters }, false).values[0]!;
  };
  expect(values.length).toBe(1 + parameterCount(3));
  for (let k = 0; k < problem.parameters.length; k++) {
    const difference = (lossAt(k, 1e-5) - lossAt(k, -1e-5)) / 2e-5;
    expect(Math.abs(difference - values[1 + k]!)).toBeLessThan(1e-7 * Math.max(1, scales[1 + k]!));
  }
});

describe("arrays", () => {
  test.each<[string, Workload, Reference]>([
    ["add on the engine", addOnEngine(5, 2), addReference(5)],
    ["add in a loop", addInLoop(5, 2), addReference(5)],
    ["matmul on the engine", matmulOnEngine(8, 2, "float64"), matmulReference(8, "float64")],
    ["matmul in a loop", matmulInLoop(8, 2, "float64"), matmulReference(8, "float64")],
    ["an LSTM step on the engine", lstmOnEngine(), lstmReference()],
    ["an LSTM step in a loop", lstmInLoop(), lstmReference()],
  ])("%s", (_, workload, reference) => {
    expect(disagreement(run(workload).results(), reference)).toBeNull();
  });

  test.each(["float64", "float32"] as const)("matmul of %s on the kernels that /compile lends", async (dtype) => {
    const workload = await matmulOnLentKernels(64, 1, dtype);
    expect(disagreement(run(workload).results(), matmulReference(64, dtype), dtype === "float64" ? 1e-9 : 1e-5)).toBeNull();
  });

  test.each(PRODUCTS.map((product, k) => [k, product] as const))("plain product %i of matrices that are not square", (_, product) => {
    const [rows, columns, inner] = [4, 8, 6];
    const a = uniformArray(rows * inner, 30);
    const b = uniformArray(inner * columns, 31);
    const c = new Float64Array(rows * columns).fill(NaN);
    product(rows, columns, inner, a, b, c);
    const expected = c.map((_, at) => {
      const [i, j] = [Math.floor(at / columns), at % columns];
      return Array.from({ length: inner }, (_, k) => a[i * inner + k]! * b[k * columns + j]!).reduce((sum, term) => sum + term);
    });
    expect(disagreement(c, { values: expected, scales: expected.map(() => inner) })).toBeNull();
  });
});

describe("what is counted", () => {
  const operations = (workload: Workload, constants: number, parameters: number) => {
    workload.forward();
    return columns.count() - constants - parameters;
  };
  const counted = (name: string) => CASES.find((c) => c.name === name)!.count;

  test("the toy network's operations", () => {
    expect(operations(toyOnColumns(100), 1 + 2 * 100, 4)).toBe(100 * OPERATIONS_PER_STEP);
    expect(counted("toy-100")).toBe(100 * OPERATIONS_PER_STEP);
  });

  test("the scalar network's operations", () => {
    expect(operations(mlpOnColumns(false), 3 + 3 * POINTS, parameterCount(WIDTH))).toBe(operationsPerLoss(WIDTH, POINTS));
    expect(counted("mlp")).toBe(operationsPerLoss(WIDTH, POINTS));
  });

  test("the scalar network's operations with a metric", () => {
    const both = operationsPerLoss(WIDTH, POINTS) + operationsPerMetric(POINTS);
    expect(operations(mlpOnColumns(true), 4 + 4 * POINTS, parameterCount(WIDTH))).toBe(both);
    expect(counted("mlp-metric")).toBe(both);
    expect(operationsPerPrediction(WIDTH)).toBe(640);
  });
});

describe("the check", () => {
  const reference = { values: [1, 0], scales: [1, 10] };

  test.each<[string, number[], boolean]>([
    ["equal", [1, 0], true],
    ["within 1e-9 of the sum of absolute terms", [1 + 9e-10, 9e-9], true],
    ["further away", [1, 2e-8], false],
    ["NaN", [1, NaN], false],
    ["a result too few", [1], false],
  ])("%s", (_, results, agrees) => {
    expect(disagreement(results, reference) === null).toBe(agrees);
  });

  test("takes another tolerance", () => {
    expect(disagreement([1 + 9e-6, 0], reference, 1e-5)).toBeNull();
    expect(disagreement([1 + 2e-5, 0], reference, 1e-5)).toBe("result 0 is 1.00002, expected 1 within 0.00001 of 1");
  });
});
