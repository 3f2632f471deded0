import { describe, expect, test } from "vitest";
import { trainingOnBrain } from "../src/recurrent/brain.js";
import { trainingCompiled } from "../src/recurrent/compiled.js";
import { trainingOnEngine } from "../src/recurrent/eager.js";
import { multiplyAddsOf, trainingFloor } from "../src/recurrent/floor.js";
import { trainingOnJax } from "../src/recurrent/jax.js";
import { type Kind, recurrentProblem } from "../src/recurrent/problem.js";
import { torchAbsent } from "../src/recurrent/python.js";
import { FLOAT32_TOLERANCE, recurrentReference } from "../src/recurrent/reference.js";
import { trainingOnTfjs } from "../src/recurrent/tfjs.js";
import { trainingOnTorch } from "../src/recurrent/torch.js";
import type { Training } from "../src/recurrent/training.js";
import { disagreement } from "../src/workload.js";
import { recurrentLossByHand } from "./recurrentLoss.js";

const KINDS: readonly Kind[] = ["rnn", "lstm", "gru"];
const size = { hidden: 3, batch: 2, steps: 4 };
const torch = torchAbsent();

/** Twice, since a variant that adds to its last gradients is right only once. */
async function check(training: Training, kind: Kind): Promise<void> {
  const times = await training.run(2);
  expect(times.every((ms) => ms >= 0)).toBe(true);
  const results = await training.results();
  training.close?.();
  expect(disagreement(results!, recurrentReference(recurrentProblem(kind, size)), FLOAT32_TOLERANCE)).toBeNull();
}

describe.each(KINDS)("a training step of %s computes the loss and gradients of the reference", (kind) => {
  const problem = recurrentProblem(kind, size);
  test("eager", () => check(trainingOnEngine(problem), kind));
  test("compiled", async () => check(await trainingCompiled(problem), kind));
  test.skipIf(torch !== null)("PyTorch", async () => check(await trainingOnTorch(problem), kind));
  test("@jax-js/jax", async () => check(await trainingOnJax(problem), kind));
  test("@tensorflow/tfjs on wasm", async () => check(await trainingOnTfjs(problem, "wasm"), kind));
  test("@tensorflow/tfjs on cpu", async () => check(await trainingOnTfjs(problem, "cpu"), kind));
});

test("brain.js takes a step of its own LSTM, and nothing is compared", async () => {
  const training = trainingOnBrain(recurrentProblem("lstm", size));
  expect(await training.run(2)).toHaveLength(2);
  expect(training.results()).toBeNull();
});

test("the floor has the multiply-adds of the products, and computes nothing of the network", async () => {
  // 4 gates of 3 x 3 weights, 2 rows: twice for each of 4 inputs; three times for each state but the first, which is zero.
  expect(multiplyAddsOf("lstm", size)).toBe(4 * 9 * 2 * (2 * 4 + 3 * 3));
  const training = await trainingFloor(recurrentProblem("lstm", size));
  expect(await training.run(2)).toHaveLength(2);
  expect(training.results()).toBeNull();
});

describe.each(KINDS)("the reference of %s", (kind) => {
  const problem = recurrentProblem(kind, size);
  const { values } = recurrentReference(problem);

  test("has the loss of the equations written out", () => {
    expect(values[0]).toBeCloseTo(recurrentLossByHand(problem), 12);
  });
});
