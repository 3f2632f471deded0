import { type Param, param, type Value, value, zeroGrad } from "@unroll/autograd";
import type { Workload } from "../workload.js";
import { layerSizes, type MlpProblem, mlpProblem } from "./problem.js";

export interface Unit {
  readonly weights: readonly Value[];
  readonly bias: Value;
}

/** The network's units by layer, from its parameters in the order of the problem. */
export function layersOf(parameters: readonly Value[], width: number): Unit[][] {
  let at = 0;
  return layerSizes(width).map(([units, inputs]) =>
    Array.from({ length: units }, () => {
      const unit = { weights: parameters.slice(at, at + inputs), bias: parameters[at + inputs]! };
      at += inputs + 1;
      return unit;
    }),
  );
}

function linear({ weights, bias }: Unit, inputs: readonly (Value | number)[]): Value {
  let sum = bias;
  for (let k = 0; k < weights.length; k++) sum = sum.add(weights[k]!.mul(inputs[k]!));
  return sum;
}

export function predict([first, second, last]: readonly (readonly Unit[])[], x: Value | number, y: Value | number): Value {
  const point = [x, y];
  const hidden = first!.map((unit) => linear(unit, point).tanh());
  const deeper = second!.map((unit) => linear(unit, hidden).tanh());
  return linear(last![0]!, deeper);
}

export interface MlpLoss {
  readonly loss: Value;
  /** The mean absolute error, where it was asked for. */
  readonly metric: Value | null;
}

export function mlpLoss(layers: readonly (readonly Unit[])[], { inputs, targets }: MlpProblem, withMetric: boolean): MlpLoss {
  let squares = value(0);
  let distances = value(0);
  for (let n = 0; n < targets.length; n++) {
    const prediction = predict(layers, inputs[2 * n]!, inputs[2 * n + 1]!);
    squares = squares.add(prediction.sub(targets[n]!).square());
    if (withMetric) distances = distances.add(prediction.sub(targets[n]!).abs());
  }
  const share = 1 / targets.length;
  return { loss: squares.mul(share), metric: withMetric ? distances.mul(share) : null };
}

export function mlpOnEngine(withMetric: boolean, width?: number, points?: number): Workload {
  const problem = mlpProblem(width, points);
  const params: Param[] = Array.from(problem.parameters, (x) => param(x));
  const layers = layersOf(params, problem.width);
  let loss = value(0);
  let metric: number | undefined;
  return {
    forward() {
      const step = mlpLoss(layers, problem, withMetric);
      loss = step.loss;
      metric = step.metric?.item();
    },
    backward() {
      zeroGrad(params);
      loss.backward();
    },
    results: () => [loss.item(), ...params.map((x) => x.grad.item()), ...(metric === undefined ? [] : [metric])],
  };
}
