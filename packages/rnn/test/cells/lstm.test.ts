import { readFileSync } from "node:fs";
import { param, type Value, value } from "@unroll/autograd";
import { describe, expect, it } from "vitest";
import { lstmCell, unroll } from "../../src/index.js";

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
    const weights = { weight_ih: leaf(weightIh), weight_hh: leaf(weightHh), bias_ih: leaf(biasIh), bias_hh: leaf(biasHh) };
    const [xs, h, c] = [leaf(x), leaf(h0), leaf(c0)];
    const [[hLast, cLast], outputs] = unroll(lstmCell, weights, [h, c], xs);
    expectClose(outputs, reference.outputs.outputs);
    expectClose(hLast, reference.outputs.h);
    expectClose(cLast, reference.outputs.c);

    const { cotangents, gradients } = reference;
    const weighted = [outputs.mul(constant(cotangents.outputs)), hLast.mul(constant(cotangents.h)), cLast.mul(constant(cotangents.c))];
    weighted
      .map((array) => array.sum())
      .reduce((a, b) => a.add(b))
      .backward();
    expectClose(weights.weight_ih.grad, gradients.weightIh);
    expectClose(weights.weight_hh.grad, gradients.weightHh);
    expectClose(weights.bias_ih.grad, gradients.biasIh);
    expectClose(weights.bias_hh.grad, gradients.biasHh);
    expectClose(xs.grad, gradients.x);
    expectClose(h.grad, gradients.h0);
    expectClose(c.grad, gradients.c0);
  });
});
