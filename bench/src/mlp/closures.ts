import { ClosureNode } from "../scalar/closures.js";
import type { Workload } from "../workload.js";
import { layerSizes, mlpProblem } from "./problem.js";

interface Unit {
  readonly weights: readonly ClosureNode[];
  readonly bias: ClosureNode;
}

function layersOf(parameters: readonly ClosureNode[], width: number): Unit[][] {
  let at = 0;
  return layerSizes(width).map(([units, inputs]) =>
    Array.from({ length: units }, () => {
      const unit = { weights: parameters.slice(at, at + inputs), bias: parameters[at + inputs]! };
      at += inputs + 1;
      return unit;
    }),
  );
}

function linear({ weights, bias }: Unit, inputs: readonly ClosureNode[]): ClosureNode {
  let sum = bias;
  for (let k = 0; k < weights.length; k++) sum = sum.add(weights[k]!.mul(inputs[k]!));
  return sum;
}

export function mlpOnClosures(withMetric: boolean, width?: number, points?: number): Workload {
  const problem = mlpProblem(width, points);
  const { inputs, targets } = problem;
  const leaves = Array.from(problem.parameters, (x) => new ClosureNode(x));
  const [first, second, last] = layersOf(leaves, problem.width);
  let loss = new ClosureNode(0);
  let metric: number | undefined;
  return {
    forward() {
      let squares = new ClosureNode(0);
      let distances = new ClosureNode(0);
      for (let n = 0; n < targets.length; n++) {
        const point = [new ClosureNode(inputs[2 * n]!), new ClosureNode(inputs[2 * n + 1]!)];
        const hidden = first!.map((unit) => linear(unit, point).tanh());
        const deeper = second!.map((unit) => linear(unit, hidden).tanh());
        const prediction = linear(last![0]!, deeper);
        squares = squares.add(prediction.sub(targets[n]!).square());
        if (withMetric) distances = distances.add(prediction.sub(targets[n]!).abs());
      }
      const share = 1 / targets.length;
      loss = squares.mul(share);
      metric = withMetric ? distances.mul(share).data : undefined;
    },
    backward() {
      for (const leaf of leaves) leaf.grad = 0;
      loss.backward();
    },
    results: () => [loss.data, ...leaves.map((leaf) => leaf.grad), ...(metric === undefined ? [] : [metric])],
  };
}
