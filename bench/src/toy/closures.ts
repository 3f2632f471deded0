import { ClosureNode } from "../scalar/closures.js";
import type { Workload } from "../workload.js";
import { toyProblem } from "./problem.js";

export function toyOnClosures(steps: number): Workload {
  const problem = toyProblem(steps);
  const { inputs, targets } = problem;
  const [u, v, w, s] = [problem.u, problem.v, problem.w, problem.s].map((x) => new ClosureNode(x)) as [
    ClosureNode,
    ClosureNode,
    ClosureNode,
    ClosureNode,
  ];
  const leaves = [u, v, w, s];
  let loss = new ClosureNode(0);
  return {
    forward() {
      let y = s;
      let sum = new ClosureNode(0);
      for (let t = 0; t < steps; t++) {
        y = w.mul(y).add(v.mul(inputs[t]!)).sigmoid();
        sum = sum.add(u.mul(y).sub(targets[t]!).square());
      }
      loss = sum;
    },
    backward() {
      for (const leaf of leaves) leaf.grad = 0;
      loss.backward();
    },
    results: () => [loss.data, ...leaves.map((leaf) => leaf.grad)],
  };
}
