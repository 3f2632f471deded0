import { mseLoss, noGrad, type Param, param, type Value, value, valueAndGrad } from "@unroll/autograd";
import { compile } from "@unroll/autograd/compile";
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

const layer = lstm({ inputSize: 1, hiddenSize: hidden });
type Named<T extends Value> = Readonly<Record<string, T>>;

function lossOf(params: Named<Value>, windows: Value, targets: Value): Value {
  const { weight, bias, ...cell } = params;
  const [h] = layer.apply(cell, windows).state;
  return mseLoss(h.slice(0).matmul(weight!.transpose()).add(bias!), targets);
}

/** How an update is made: by the optimizer in place, or as one program. */
type Training = (params: Named<Param>) => (windows: Value, targets: Value) => { readonly loss: number; readonly params: Named<Value> };

const inPlace =
  (loss: typeof lossOf): Training =>
  (params) => {
    const steps = optimizer(adam({ learningRate: rate }), params);
    return (windows, targets) => {
      const found = loss(params, windows, targets);
      steps.zeroGrad();
      found.backward();
      steps.step();
      return { loss: found.item(), params };
    };
  };

const oneProgram: Training = (first) => {
  const rule = adam({ learningRate: rate });
  const step = compile((params: Named<Value>, state: ReturnType<typeof rule.init>, windows: Value, targets: Value) => {
    const [loss, gradients] = valueAndGrad(lossOf)(params, windows, targets);
    return [loss, ...rule.update(params, gradients, state)] as const;
  });
  let params: Named<Value> = first;
  let state = rule.init(params);
  return (windows, targets) => {
    const [loss, next, nextState] = noGrad(() => step(params, state, windows, targets));
    [params, state] = [next as Named<Value>, nextState];
    return { loss: loss.item(), params };
  };
};

it.each([
  ["eager", inPlace(lossOf)],
  ["of a compiled loss", inPlace(compile(lossOf) as unknown as typeof lossOf)],
  ["in one program", oneProgram],
])(
  "thirty updates of an LSTM with Adam on daily temperatures, %s, follow PyTorch's losses to 1e-9, and end at its weights",
  (_, training) => {
    const shapes = { ...layer.parameterShapes, weight: [1, hidden], bias: [1] };
    const params = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, param(draw(name, shape).data, { shape })]));
    const update = training(params);
    const updates = losses.map((_loss, k) => {
      const { windows, targets } = examplesOf(k);
      return update(windows, targets);
    });
    expect(losses).toHaveLength(30);
    updates.forEach(({ loss }, k) => expect(Math.abs(loss / losses[k]! - 1), `update ${k}`).toBeLessThan(1e-9));
    const last = updates.at(-1)!.params;
    const weights = reference.weights as unknown as Readonly<Record<string, Fingerprint>>;
    expect(Object.entries(weights).flatMap(([name, expected]) => differences(name, last[name]!, expected))).toEqual([]);
  },
);
