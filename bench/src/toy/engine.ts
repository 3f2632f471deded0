import { param, type Value, value, zeroGrad } from "@unroll/autograd";
import type { Workload } from "../workload.js";
import { toyProblem } from "./problem.js";

export interface ToyValues {
  readonly u: Value;
  readonly v: Value;
  readonly w: Value;
  readonly s: Value;
}

export function toyLoss({ u, v, w, s }: ToyValues, inputs: Float64Array, targets: Float64Array): Value {
  let y = s;
  let loss = value(0);
  for (let t = 0; t < inputs.length; t++) {
    y = w.mul(y).add(v.mul(inputs[t]!)).sigmoid();
    loss = loss.add(u.mul(y).sub(targets[t]!).square());
  }
  return loss;
}

export function toyOnEngine(steps: number): Workload {
  const problem = toyProblem(steps);
  const { inputs, targets } = problem;
  const params = { u: param(problem.u), v: param(problem.v), w: param(problem.w), s: param(problem.s) };
  let loss = value(0);
  return {
    forward() {
      loss = toyLoss(params, inputs, targets);
    },
    backward() {
      zeroGrad(params);
      loss.backward();
    },
    results: () => [loss, params.u.grad, params.v.grad, params.w.grad, params.s.grad].map((x) => x.item()),
  };
}
