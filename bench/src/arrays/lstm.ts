import { param, type Value, value } from "@unroll/autograd";
import { uniformArray } from "../uniform.js";
import type { Reference, Workload } from "../workload.js";
import { fastestProduct } from "./products.js";

/**
 * One step of an LSTM: gates i f g o = x Wx + h Wh + b, c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c').
 * Results are the elements of h', then those of c'.
 */
const HIDDEN = 32;
const BATCH = 8;
const INPUTS = 32;

const weights = {
  x: uniformArray(INPUTS * 4 * HIDDEN, 8, -0.2, 0.2),
  h: uniformArray(HIDDEN * 4 * HIDDEN, 9, -0.2, 0.2),
  b: uniformArray(4 * HIDDEN, 10, -0.2, 0.2),
};
const before = { x: uniformArray(BATCH * INPUTS, 11), h: uniformArray(BATCH * HIDDEN, 12), c: uniformArray(BATCH * HIDDEN, 13) };

export interface LstmValues {
  readonly wx: Value;
  readonly wh: Value;
  readonly b: Value;
}

export function lstmStep({ wx, wh, b }: LstmValues, x: Value, h: Value, c: Value): [h: Value, c: Value] {
  const hidden = h.shape[1]!;
  const gates = x.matmul(wx).add(h.matmul(wh)).add(b);
  const gate = (k: number) => gates.slice(null, [k * hidden, (k + 1) * hidden]);
  const cNext = gate(1)
    .sigmoid()
    .mul(c)
    .add(gate(0).sigmoid().mul(gate(2).tanh()));
  return [gate(3).sigmoid().mul(cNext.tanh()), cNext];
}

export function lstmOnEngine(): Workload {
  const params = {
    wx: param(weights.x, { shape: [INPUTS, 4 * HIDDEN] }),
    wh: param(weights.h, { shape: [HIDDEN, 4 * HIDDEN] }),
    b: param(weights.b),
  };
  const x = value(before.x, { shape: [BATCH, INPUTS] });
  const h = value(before.h, { shape: [BATCH, HIDDEN] });
  const c = value(before.c, { shape: [BATCH, HIDDEN] });
  let after: [Value, Value] = [h, c];
  return {
    forward() {
      after = lstmStep(params, x, h, c);
    },
    results: () => [...after[0].data, ...after[1].data],
  };
}

export function lstmInLoop(): Workload {
  const fromX = new Float64Array(BATCH * 4 * HIDDEN);
  const fromH = new Float64Array(BATCH * 4 * HIDDEN);
  const h = new Float64Array(BATCH * HIDDEN);
  const c = new Float64Array(BATCH * HIDDEN);
  const product = fastestProduct(BATCH, 4 * HIDDEN, INPUTS, before.x, weights.x, fromX);
  return {
    forward() {
      product(BATCH, 4 * HIDDEN, INPUTS, before.x, weights.x, fromX);
      product(BATCH, 4 * HIDDEN, HIDDEN, before.h, weights.h, fromH);
      applyGates(fromX, fromH, weights.b, before.c, h, c);
    },
    results: () => [...h, ...c],
  };
}

function applyGates(
  fromX: Float64Array,
  fromH: Float64Array,
  bias: Float64Array,
  cBefore: Float64Array,
  h: Float64Array,
  c: Float64Array,
): void {
  for (let row = 0; row < BATCH; row++) {
    for (let k = 0; k < HIDDEN; k++) {
      const at = row * 4 * HIDDEN + k;
      const i = sigmoid(fromX[at]! + fromH[at]! + bias[k]!);
      const f = sigmoid(fromX[at + HIDDEN]! + fromH[at + HIDDEN]! + bias[k + HIDDEN]!);
      const g = Math.tanh(fromX[at + 2 * HIDDEN]! + fromH[at + 2 * HIDDEN]! + bias[k + 2 * HIDDEN]!);
      const o = sigmoid(fromX[at + 3 * HIDDEN]! + fromH[at + 3 * HIDDEN]! + bias[k + 3 * HIDDEN]!);
      const cNext = f * cBefore[row * HIDDEN + k]! + i * g;
      c[row * HIDDEN + k] = cNext;
      h[row * HIDDEN + k] = o * Math.tanh(cNext);
    }
  }
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** One unit after the other, each gate's sum written out. Both results are sums of products below 1, so 2 bounds their absolute terms. */
export function lstmReference(): Reference {
  const h: number[] = [];
  const c: number[] = [];
  for (let row = 0; row < BATCH; row++) {
    for (let k = 0; k < HIDDEN; k++) {
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) => {
        const column = gate * HIDDEN + k;
        let z = weights.b[column]!;
        for (let n = 0; n < INPUTS; n++) z += before.x[row * INPUTS + n]! * weights.x[n * 4 * HIDDEN + column]!;
        for (let n = 0; n < HIDDEN; n++) z += before.h[row * HIDDEN + n]! * weights.h[n * 4 * HIDDEN + column]!;
        return gate === 2 ? Math.tanh(z) : sigmoid(z);
      }) as [number, number, number, number];
      const cNext = f * before.c[row * HIDDEN + k]! + i * g;
      c.push(cNext);
      h.push(o * Math.tanh(cNext));
    }
  }
  const values = [...h, ...c];
  return { values, scales: values.map(() => 2) };
}
