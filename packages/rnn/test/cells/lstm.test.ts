import { readFileSync } from "node:fs";
import { param, scan, type Value, value } from "@unroll/autograd";
import { key } from "@unroll/autograd/random";
import { describe, expect, it } from "vitest";
import { type LstmState, lstmParams, lstmStart, lstmStep } from "../../src/cells/lstm.js";

interface Reference {
  readonly shape: number[];
  readonly data: number[];
}

interface LstmCase {
  readonly network: string;
  readonly parameters: Record<"weightIh" | "weightHh" | "biasIh" | "biasHh" | "x" | "h0" | "c0", Reference>;
  readonly outputs: Record<"outputs" | "h" | "c", Reference>;
  readonly cotangents: Record<"outputs" | "h" | "c", Reference>;
  readonly gradients: LstmCase["parameters"];
}

/** What torch.nn.LSTM computes. */
const fixtures = new URL("../../../autograd/test/references/fixtures/networks.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(fixtures, "utf8")) as { cases: LstmCase[] };
const lstmCases = cases.filter(({ network }) => network.startsWith("lstm"));

function expectClose(actual: Value, { shape, data }: Reference): void {
  expect(actual.shape).toEqual(shape);
  const scale = Math.max(1, ...data.map(Math.abs));
  data.forEach((expected, i) => expect(Math.abs(Number(actual.data[i]) - expected)).toBeLessThanOrEqual(1e-13 * scale));
}

const leaf = ({ shape, data }: Reference) => param(Float64Array.from(data), { shape });
const constant = ({ shape, data }: Reference) => value(Float64Array.from(data), { shape });

describe("the LSTM cell", () => {
  it("has PyTorch cases to be compared with", () => expect(lstmCases.length).toBeGreaterThanOrEqual(2));

  it.each(lstmCases.map((reference) => [reference.network, reference] as const))("computes what torch.nn.LSTM does: %s", (_, reference) => {
    const { weightIh, weightHh, biasIh, biasHh, x, h0, c0 } = reference.parameters;
    const weights = { weight_ih_l0: leaf(weightIh), weight_hh_l0: leaf(weightHh), bias_ih_l0: leaf(biasIh), bias_hh_l0: leaf(biasHh) };
    const [xs, h, c] = [leaf(x), leaf(h0), leaf(c0)];
    const [[hLast, cLast], outputs] = scan<LstmState, Value, Value>((state, x) => lstmStep(weights, state, x), [h, c], xs);
    expectClose(outputs, reference.outputs.outputs);
    expectClose(hLast, reference.outputs.h);
    expectClose(cLast, reference.outputs.c);

    const { cotangents, gradients } = reference;
    const weighted = [outputs.mul(constant(cotangents.outputs)), hLast.mul(constant(cotangents.h)), cLast.mul(constant(cotangents.c))];
    weighted
      .map((array) => array.sum())
      .reduce((a, b) => a.add(b))
      .backward();
    expectClose(weights.weight_ih_l0.grad, gradients.weightIh);
    expectClose(weights.weight_hh_l0.grad, gradients.weightHh);
    expectClose(weights.bias_ih_l0.grad, gradients.biasIh);
    expectClose(weights.bias_hh_l0.grad, gradients.biasHh);
    expectClose(xs.grad, gradients.x);
    expectClose(h.grad, gradients.h0);
    expectClose(c.grad, gradients.c0);
  });

  it("starts from weights of PyTorch's shapes and range, the same for the same key", () => {
    const weights = lstmParams(key(3), 2, 16);
    const { weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 } = weights;
    const arrays = [weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0];
    const numbers = arrays.flatMap(({ data }) => Array.from(data as Float64Array));
    expect(arrays.map(({ shape }) => shape)).toEqual([[64, 2], [64, 16], [64], [64]]);
    expect(numbers.every((number) => Math.abs(number) <= 1 / 4)).toBe(true);
    expect(new Set(numbers).size).toBe(64 * 20);
    expect(lstmParams(key(3), 2, 16).weight_hh_l0.toArray()).toEqual(weights.weight_hh_l0.toArray());
    expect(lstmParams(key(4), 2, 16).weight_hh_l0.toArray()).not.toEqual(weights.weight_hh_l0.toArray());
  });

  it("starts from a state of zeros, in the dtype of its weights", () => {
    const [h, c] = lstmStart(lstmParams(key(1), 1, 3), 2);
    for (const state of [h, c]) {
      expect(state.toArray()).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
      expect(state.dtype).toBe("float64");
    }
  });
});
