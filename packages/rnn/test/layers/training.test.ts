import { param, mseLoss, value } from "@unroll/autograd";
import { adam, optimizer } from "@unroll/autograd/optim";
import { expect, it } from "vitest";
import { lstm } from "../../src/index.js";
import { draw } from "../draws.js";
import { differences, type Fingerprint } from "../fingerprint.js";
import reference from "../references/training.json" with { type: "json" };

const { window, batch, hidden, rate, losses } = reference;
const series = reference.maxima.map((x) => (x - 15) / 10);

/** The windows of an update, [T, B, 1], and the day after each, [B, 1]; as in training.py. */
function examplesOf(update: number) {
  const starts = Array.from({ length: batch }, (_, b) => (update * batch + b * 11) % (series.length - window));
  return {
    windows: value(Array.from({ length: window }, (_, t) => starts.map((start) => [series[start + t]!]))),
    targets: value(starts.map((start) => [series[start + window]!])),
  };
}

it("thirty updates of an LSTM with Adam on daily temperatures follow PyTorch's losses to 1e-9, and end at its weights", () => {
  const layer = lstm({ inputSize: 1, hiddenSize: hidden });
  const shapes = { ...layer.parameterShapes, weight: [1, hidden], bias: [1] };
  const params = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, param(draw(name, shape).data, { shape })]));
  const { weight, bias, ...cell } = params;
  const steps = optimizer(adam({ learningRate: rate }), params);
  const found = losses.map((_, update) => {
    const { windows, targets } = examplesOf(update);
    const [h] = layer.apply(cell, windows).state;
    const loss = mseLoss(h.slice(0).matmul(weight!.transpose()).add(bias!), targets);
    steps.zeroGrad();
    loss.backward();
    steps.step();
    return loss.item();
  });
  expect(losses).toHaveLength(30);
  found.forEach((loss, update) => expect(Math.abs(loss / losses[update]! - 1), `update ${update}`).toBeLessThan(1e-9));
  const weights = reference.weights as unknown as Readonly<Record<string, Fingerprint>>;
  expect(Object.entries(weights).flatMap(([name, expected]) => differences(name, params[name]!, expected))).toEqual([]);
});
