import * as columns from "../scalar/columns.js";
import { add, constant, leaf, mul, sigmoid, square, sub } from "../scalar/columns.js";
import type { Workload } from "../workload.js";
import { OPERATIONS_PER_STEP, toyProblem } from "./problem.js";

export function toyOnColumns(steps: number): Workload {
  const { u, v, w, s, inputs, targets } = toyProblem(steps);
  // Four leaves, E = 0; in each step two constants.
  columns.reserve(5 + (OPERATIONS_PER_STEP + 2) * steps);
  const [idU, idV, idW, idS] = [leaf(u), leaf(v), leaf(w), leaf(s)];
  const start = columns.count();
  let loss = 0;
  return {
    forward() {
      columns.rewind(start);
      let y = idS;
      let sum = constant(0);
      for (let t = 0; t < steps; t++) {
        y = sigmoid(add(mul(idW, y), mul(idV, constant(inputs[t]!))));
        sum = add(sum, square(sub(mul(idU, y), constant(targets[t]!))));
      }
      loss = sum;
    },
    backward() {
      columns.backward(loss);
    },
    results: () => [columns.valueOf(loss), ...[idU, idV, idW, idS].map(columns.adjointOf)],
  };
}
