import * as columns from "../scalar/columns.js";
import { abs, add, constant, leaf, mul, square, sub, tanh } from "../scalar/columns.js";
import type { Workload } from "../workload.js";
import { layerSizes, mlpProblem, operationsPerLoss, operationsPerMetric } from "./problem.js";

interface Unit {
  readonly weights: readonly number[];
  readonly bias: number;
}

function layersOf(parameters: readonly number[], width: number): Unit[][] {
  let at = 0;
  return layerSizes(width).map(([units, inputs]) =>
    Array.from({ length: units }, () => {
      const unit = { weights: parameters.slice(at, at + inputs), bias: parameters[at + inputs]! };
      at += inputs + 1;
      return unit;
    }),
  );
}

function linear({ weights, bias }: Unit, inputs: readonly number[]): number {
  let sum = bias;
  for (let k = 0; k < weights.length; k++) sum = add(sum, mul(weights[k]!, inputs[k]!));
  return sum;
}

export function mlpOnColumns(withMetric: boolean, width?: number, size?: number): Workload {
  const problem = mlpProblem(width, size);
  const { inputs, targets } = problem;
  const points = targets.length;
  // Two sums and two shares; for each point its coordinates and twice its target.
  const constants = 4 + 4 * points;
  columns.reserve(problem.parameters.length + operationsPerLoss(problem.width, points) + operationsPerMetric(points) + constants);
  const leaves = Array.from(problem.parameters, leaf);
  const [first, second, last] = layersOf(leaves, problem.width);
  const start = columns.count();
  let loss = 0;
  let metric: number | undefined;
  return {
    forward() {
      columns.rewind(start);
      let squares = constant(0);
      let distances = constant(0);
      for (let n = 0; n < points; n++) {
        const point = [constant(inputs[2 * n]!), constant(inputs[2 * n + 1]!)];
        const hidden = first!.map((unit) => tanh(linear(unit, point)));
        const deeper = second!.map((unit) => tanh(linear(unit, hidden)));
        const prediction = linear(last![0]!, deeper);
        squares = add(squares, square(sub(prediction, constant(targets[n]!))));
        if (withMetric) distances = add(distances, abs(sub(prediction, constant(targets[n]!))));
      }
      const share = 1 / points;
      loss = mul(squares, constant(share));
      metric = withMetric ? columns.valueOf(mul(distances, constant(share))) : undefined;
    },
    backward() {
      columns.backward(loss);
    },
    results: () => [columns.valueOf(loss), ...leaves.map(columns.adjointOf), ...(metric === undefined ? [] : [metric])],
  };
}
