import type { Problem } from "../src/recurrent/problem.js";

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** The mean squared error, one unit after the other, by PyTorch's equations; no array operation, and nothing of the engine. */
export function recurrentLossByHand({ kind, hidden, batch, steps, params, inputs, targets }: Problem): number {
  const dot = (weights: Float32Array, row: number, x: readonly number[]) =>
    x.reduce((sum, value, k) => sum + weights[row * hidden + k]! * value, 0);
  let squares = 0;
  for (let b = 0; b < batch; b++) {
    let h = new Array<number>(hidden).fill(0);
    const c = new Array<number>(hidden).fill(0);
    for (let t = 0; t < steps; t++) {
      const at = (t * batch + b) * hidden;
      const x = Array.from(inputs.subarray(at, at + hidden));
      const ofInput = (row: number) => dot(params.weight_ih, row, x) + params.bias_ih[row]!;
      const ofState = (row: number) => dot(params.weight_hh, row, before) + params.bias_hh[row]!;
      const before = h;
      h = before.map((past, unit) => {
        const gate = (k: number) => ofInput(k * hidden + unit) + ofState(k * hidden + unit);
        if (kind === "rnn") return Math.tanh(gate(0));
        if (kind === "gru") {
          const [reset, update] = [sigmoid(gate(0)), sigmoid(gate(1))];
          const candidate = Math.tanh(ofInput(2 * hidden + unit) + reset * ofState(2 * hidden + unit));
          return (1 - update) * candidate + update * past;
        }
        c[unit] = sigmoid(gate(1)) * c[unit]! + sigmoid(gate(0)) * Math.tanh(gate(2));
        return sigmoid(gate(3)) * Math.tanh(c[unit]);
      });
      squares += h.reduce((sum, y, k) => sum + (y - targets[at + k]!) ** 2, 0);
    }
  }
  return squares / (steps * batch * hidden);
}
