import { type Param, param, type Value, value, zeroGrad } from "@unroll/autograd";
import { lstmStep } from "../arrays/lstm.js";
import { uniformArray } from "../uniform.js";
import { type Growth, growthOver } from "./growth.js";
import { heldToTheEnd } from "./scalarTraining.js";

const INPUTS = 32;
const BATCH = 8;

interface Network {
  readonly weights: readonly Param[];
  readonly predict: (x: Value) => Value;
}

/** 32 inputs, two layers of `hidden` tanh units, one linear output. */
function network(hidden: number): Network {
  const matrix = (rows: number, columns: number, seed: number) =>
    param(uniformArray(rows * columns, seed, -1 / Math.sqrt(rows), 1 / Math.sqrt(rows)), { shape: [rows, columns] });
  const zeros = (length: number) => param(new Float64Array(length));
  const weights = [
    matrix(INPUTS, hidden, 20),
    zeros(hidden),
    matrix(hidden, hidden, 21),
    zeros(hidden),
    matrix(hidden, 1, 22),
    zeros(1),
  ] as const;
  const [w1, b1, w2, b2, w3, b3] = weights;
  return { weights, predict: (x) => x.matmul(w1).add(b1).tanh().matmul(w2).add(b2).tanh().matmul(w3).add(b3) };
}

const data = () => ({
  x: value(uniformArray(BATCH * INPUTS, 23), { shape: [BATCH, INPUTS] }),
  targets: value(uniformArray(BATCH, 24), { shape: [BATCH, 1] }),
});

/** Validation steps: recorded, since params take part; the loss is read and dropped. */
export function validation(steps: number, hidden: number): Growth {
  const { predict } = network(hidden);
  const { x, targets } = data();
  let sum = 0;
  return growthOver(steps, () => {
    sum += predict(x).sub(targets).square().mean().item();
    if (Number.isNaN(sum)) throw new Error("the loss is not a number");
  });
}

/** The same with steps of an LSTM. */
export function lstmValidation(steps: number, hidden: number): Growth {
  const bound = 1 / Math.sqrt(hidden);
  const weights = {
    wx: param(uniformArray(INPUTS * 4 * hidden, 25, -bound, bound), { shape: [INPUTS, 4 * hidden] }),
    wh: param(uniformArray(hidden * 4 * hidden, 26, -bound, bound), { shape: [hidden, 4 * hidden] }),
    b: param(new Float64Array(4 * hidden)),
  };
  const x = value(uniformArray(INPUTS, 27), { shape: [1, INPUTS] });
  const h = value(uniformArray(hidden, 28), { shape: [1, hidden] });
  const c = value(uniformArray(hidden, 29), { shape: [1, hidden] });
  let sum = 0;
  return growthOver(steps, () => {
    sum += lstmStep(weights, x, h, c)[0].square().mean().item();
    if (Number.isNaN(sum)) throw new Error("the loss is not a number");
  });
}

export interface TrainingOptions {
  readonly hidden: number;
  /** Keep every loss. */
  readonly hold: boolean;
  /** Compute the mean absolute error on the tape, read it and drop it. */
  readonly metric: boolean;
}

/** Steps of gradient descent. */
export function training(steps: number, { hidden, hold, metric }: TrainingOptions): Growth {
  const { weights, predict } = network(hidden);
  const { x, targets } = data();
  const losses: Value[] = [];
  let metrics = 0;
  const growth = growthOver(steps, (k) => {
    zeroGrad(weights);
    const error = predict(x).sub(targets);
    const loss = error.square().mean();
    if (metric) metrics += error.abs().mean().item();
    loss.backward();
    for (const w of weights) w.set(w.detach().sub(w.grad.mul(0.01)));
    if (hold || k === 1 || k === steps) losses.push(loss);
  });
  return heldToTheEnd(losses, metrics, growth);
}
