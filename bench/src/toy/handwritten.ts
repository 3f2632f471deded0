import type { Workload } from "../workload.js";
import { toyProblem } from "./problem.js";

/** The recurrence that a person would derive, on plain numbers and one preallocated array of states. */
export function toyByHand(steps: number): Workload {
  const { u, v, w, s, inputs, targets } = toyProblem(steps);
  const states = new Float64Array(steps + 1);
  let loss = 0;
  let du = 0;
  let dv = 0;
  let dw = 0;
  let ds = 0;
  return {
    forward() {
      let y = s;
      let sum = 0;
      states[0] = s;
      for (let t = 0; t < steps; t++) {
        y = 1 / (1 + Math.exp(-(w * y + v * inputs[t]!)));
        states[t + 1] = y;
        const error = u * y - targets[t]!;
        sum += error * error;
      }
      loss = sum;
    },
    backward() {
      let [sumU, sumV, sumW, delta] = [0, 0, 0, 0];
      for (let t = steps; t >= 1; t--) {
        const y = states[t]!;
        const e = 2 * (u * y - targets[t - 1]!);
        delta = y * (1 - y) * (e * u + w * delta);
        sumU += e * y;
        sumV += delta * inputs[t - 1]!;
        sumW += delta * states[t - 1]!;
      }
      du = sumU;
      dv = sumV;
      dw = sumW;
      ds = w * delta;
    },
    results: () => [loss, du, dv, dw, ds],
  };
}
