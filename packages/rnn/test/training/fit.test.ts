import { type Param, param, type Value } from "@unroll/autograd";
import { sgd } from "@unroll/autograd/optim";
import { key } from "@unroll/autograd/random";
import { describe, expect, it } from "vitest";
import { type FitProgress, type FitTask, fit } from "../../src/training/fit.js";
import { consecutiveBatches, minibatches } from "../../src/training/minibatches.js";

const rows = Int32Array.from({ length: 10 }, (_, i) => i + 100);
const settings = { epochs: 5, patience: 100, batchSize: 4, maxNorm: 1e9 };

/** Pulls one param towards 0; validation losses are as told, epoch by epoch. */
function taskOf(w: Param, validation: readonly number[], more: Partial<FitTask<unknown>> = {}) {
  let epoch = 0;
  return {
    params: [w],
    rule: sgd({ learningRate: 0.1 }),
    rows,
    loss: (): Value => w.square(),
    validationLoss: async () => validation[epoch++] ?? 1,
    key: key(1),
    ...more,
  } as FitTask<{ velocities: null }>;
}

describe("minibatches", () => {
  it("hold every row once, in another order for another key", () => {
    const batches = minibatches(key(1), rows, 4);
    expect(batches.map(({ length }) => length)).toEqual([4, 4, 2]);
    const order = batches.flatMap((batch) => [...batch]);
    expect([...order].sort((a, b) => a - b)).toEqual([...rows]);
    expect(order).not.toEqual([...rows]);
    expect(minibatches(key(1), rows, 4).flatMap((batch) => [...batch])).toEqual(order);
    expect(minibatches(key(2), rows, 4).flatMap((batch) => [...batch])).not.toEqual(order);
  });

  it("in order keep the order", () => {
    expect(consecutiveBatches(rows, 4).flatMap((batch) => [...batch])).toEqual([...rows]);
  });
});

describe("training", () => {
  it("goes downhill, a step for each batch", async () => {
    const w = param(1);
    const history = await fit(taskOf(w, [5, 4, 3, 2, 1]), settings);
    expect(history.steps).toBe(15);
    expect(history.ended).toBe("all epochs");
    expect(w.item()).toBeCloseTo(0.8 ** 15, 12);
    expect(history.epochs.map(({ training }) => training)).toEqual(
      [...history.epochs.map(({ training }) => training)].sort((a, b) => b - a),
    );
  });

  it("keeps the params of the epoch with the least validation loss", async () => {
    const w = param(1);
    const history = await fit(taskOf(w, [3, 1, 2, 4, 5]), settings);
    expect(history.bestEpoch).toBe(2);
    expect(history.epochs.map(({ validation }) => validation)).toEqual([3, 1, 2, 4, 5]);
    expect(w.item()).toBeCloseTo(0.8 ** 6, 12);
  });

  it("ends when patience runs out", async () => {
    const history = await fit(taskOf(param(1), [3, 1, 2, 2, 2]), { ...settings, patience: 2 });
    expect([history.ended, history.epochs.length]).toEqual(["no improvement", 4]);
  });

  it("clips gradients by their norm", async () => {
    const w = param(10);
    await fit(taskOf(w, [1]), { ...settings, epochs: 1, batchSize: 10, maxNorm: 0.5 });
    expect(w.item()).toBeCloseTo(10 - 0.1 * 0.5, 12);
  });

  it("stops after the step under way when it is interrupted, and still measures the validation loss", async () => {
    const controller = new AbortController();
    const w = param(1);
    const onStep = ({ steps }: FitProgress) => {
      if (steps === 5) controller.abort();
    };
    const history = await fit(taskOf(w, [3, 2], { signal: controller.signal, onStep }), settings);
    expect([history.ended, history.steps, history.epochs.length, history.bestEpoch]).toEqual(["interrupted", 5, 2, 2]);
    expect(w.item()).toBeCloseTo(0.8 ** 5, 12);
  });

  it("lets other work run between steps", async () => {
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    await fit(taskOf(param(1), [1], { loss: (): Value => slow(param(1)) }), { ...settings, epochs: 1 });
    clearInterval(count);
    expect(turns).toBeGreaterThanOrEqual(1);
  });

  it("tells how far it is", async () => {
    const seen: FitProgress[] = [];
    await fit(taskOf(param(1), [7, 6], { onStep: (progress) => seen.push(progress) }), { ...settings, epochs: 2 });
    expect(seen.map(({ steps }) => steps)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(seen.every(({ totalSteps }) => totalSteps === 6)).toBe(true);
    expect(seen.map(({ validationLoss }) => validationLoss)).toEqual([null, null, null, 7, 7, 7]);
  });

  it("says so when it diverges", async () => {
    await expect(fit(taskOf(param(1), [Number.NaN]), settings)).rejects.toThrow(/NaN in epoch 1: training diverged/);
  });
});

/** A loss that takes a few milliseconds. */
function slow(w: Param): Value {
  const until = performance.now() + 3;
  while (performance.now() < until);
  return w.square();
}
