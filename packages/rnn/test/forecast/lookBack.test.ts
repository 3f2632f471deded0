import { grad, noGrad, type Value, value } from "@unroll/autograd";
import { key, uniform } from "@unroll/autograd/random";
import { describe, expect, it } from "vitest";
import { type LstmWeights, lstmStart, lstmStep } from "../../src/cells/lstm.js";
import { gradientShares, sensitivities } from "../../src/forecast/lookBack.js";
import { forecast, networkParams } from "../../src/forecast/network.js";

const STEPS = 4;
const weights = networkParams(key(1), 2, 3);
const windows = (batch: number) => uniform(key(2), [STEPS, batch, 2], { low: -2, high: 2 });

describe("the share of the gradient by step", () => {
  const inputs = windows(1);
  const targets = value([0.7]);
  const shares = gradientShares(weights, { inputs, targets });

  it("has an entry for each step and adds up to 1", () => {
    expect(shares.length).toBe(STEPS);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(shares.every((share) => share > 0)).toBe(true);
  });

  it("is what a copy of the weights for each step gets", () => {
    const loss = (copies: LstmWeights[]): Value => {
      let state = lstmStart(weights.lstm, 1);
      copies.forEach((copy, t) => {
        [state] = lstmStep(copy, state, inputs.slice(t));
      });
      const change = state[0].matmul(weights.weight.transpose()).add(weights.bias).reshape([1]);
      return inputs
        .slice(STEPS - 1, null, 0)
        .add(change)
        .sub(targets)
        .square()
        .mean();
    };
    const copies = Array.from({ length: STEPS }, () => weights.lstm as LstmWeights);
    const gradients = grad(loss)(copies) as unknown as LstmWeights[];
    const lengths = gradients.map((copy) => Math.hypot(...Object.values(copy).flatMap((array: Value) => [...array.data].map(Number))));
    const total = lengths.reduce((a, b) => a + b);
    shares.forEach((share, t) => expect(share).toBeCloseTo(lengths[t]! / total, 12));
  });

  it("is 0 everywhere where there is no gradient", () => {
    const perfect = noGrad(() => forecast(weights, inputs));
    expect([...gradientShares(weights, { inputs, targets: perfect })]).toEqual([0, 0, 0, 0]);
  });
});

describe("the effect of each step on the forecast", () => {
  it("is the mean absolute slope, as differences see it", () => {
    const inputs = windows(3);
    const effects = sensitivities(weights, { inputs, targets: value([0, 0, 0]) });
    const h = 1e-5;
    const forecasts = (t: number, by: number): number[] => {
      const moved = Float64Array.from(inputs.data, Number);
      for (let b = 0; b < 3; b++) moved[(t * 3 + b) * 2]! += by;
      return [...forecast(weights, value(moved, { shape: [STEPS, 3, 2] })).data].map(Number);
    };
    for (let t = 0; t < STEPS; t++) {
      const [up, down] = [forecasts(t, h), forecasts(t, -h)];
      const slope = up.reduce((sum, x, b) => sum + Math.abs(x - down[b]!) / (2 * h), 0) / 3;
      expect(effects[t]).toBeCloseTo(slope, 8);
    }
  });
});
