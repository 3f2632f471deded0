import { grad, noGrad, type Value, value, zeros } from "@unroll/autograd";
import { key, uniform } from "@unroll/autograd/random";
import { describe, expect, it } from "vitest";
import { type LstmCellParams, type LstmState, lstmCell } from "../../src/cells/lstm.js";
import { gradientShares, sensitivities } from "../../src/forecast/lookBack.js";
import { forecast, forecastByStep, networkParams } from "../../src/forecast/network.js";
import { cellParams } from "../../src/layers/parameters.js";

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
    const [weight, bias] = [weights.readout["weight"]!, weights.readout["bias"]!];
    const loss = (copies: LstmCellParams[]): Value => {
      let state: LstmState = [zeros([1, 3]), zeros([1, 3])];
      copies.forEach((copy, t) => {
        [state] = lstmCell(copy, state, inputs.slice(t));
      });
      const change = state[0].matmul(weight.transpose()).add(bias).reshape([1]);
      return inputs
        .slice(STEPS - 1, null, 0)
        .add(change)
        .sub(targets)
        .square()
        .mean();
    };
    const copies = Array.from({ length: STEPS }, () => cellParams(weights.lstm));
    const gradients = grad(loss)(copies as never) as unknown as LstmCellParams[];
    const lengths = gradients.map((copy) => Math.hypot(...Object.values(copy).flatMap((array: Value) => [...array.data].map(Number))));
    const total = lengths.reduce((a, b) => a + b);
    shares.forEach((share, t) => expect(share).toBeCloseTo(lengths[t]! / total, 12));
  });

  it("is 0 everywhere where there is no gradient", () => {
    const perfect = noGrad(() => forecast(weights, inputs));
    expect([...gradientShares(weights, { inputs, targets: perfect })]).toEqual([0, 0, 0, 0]);
  });
});

it("one step at a time, the forecast is the same", () => {
  const all = forecast(weights, windows(3));
  expect(forecastByStep(weights, windows(3)).sub(all).abs().max().item()).toBeLessThan(1e-15);
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
