import { InputError } from "@unroll/autograd";
import { contributions } from "@unroll/autograd/inspect";
import { adam, sgd } from "@unroll/autograd/optim";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { handwrittenRecurrence, nextElementPairs, toyLoss, toyParams, toyPredictions, trainToy } from "../../src/index.js";
import { forEachParameter } from "../../src/toy/parameters.js";
import { expectGradient, expectWithin, sumOfAbsolute } from "./agreement.js";
import { randomCase } from "./arbitraries.js";
import { EXAMPLE, REFERENCE_CASES } from "./references.js";

describe("toyLoss", () => {
  it.each(REFERENCE_CASES)("has the 50-digit loss and, by backward(), its gradient to 1e-14: $name", (reference) => {
    const parameters = toyParams(reference.parameters);
    const loss = toyLoss(parameters, reference.inputs, reference.targets);
    expectWithin(loss.item(), reference.loss, 1e-14, reference.loss, "E");
    loss.backward();
    expectGradient(
      forEachParameter((name) => parameters[name].grad.item()),
      reference.gradient,
      1e-14,
      reference.scale,
      "backward",
    );
  });

  it.each(REFERENCE_CASES)("has contributions by time of use, to 1e-14, which add up to the gradient: $name", (reference) => {
    for (const name of ["u", "v", "w"] as const) {
      const parameters = toyParams(reference.parameters);
      const loss = toyLoss(parameters, reference.inputs, reference.targets);
      const shares = contributions(loss, parameters[name], { by: "use" }).map(({ value }) => value.item());
      expect(shares.length).toBe(reference.inputs.length);
      shares.forEach((share, t) => {
        expectWithin(share, reference.shares[name][t]!, 1e-14, reference.scale[name], `use ${t + 1} of ${name}`);
      });
      const sum = shares.reduce((total, share) => total + share, 0);
      expectWithin(sum, reference.gradient[name], 1e-14, reference.scale[name], `sum for ${name}`);
    }
  });

  it("has the shares of dE/dw that the network was published with", () => {
    const parameters = toyParams(EXAMPLE.parameters);
    const loss = toyLoss(parameters, EXAMPLE.inputs, EXAMPLE.targets);
    const shares = contributions(loss, parameters.w, { by: "use" }).map(({ value }) => value.item());
    expect(shares).toHaveLength(3);
    expect(shares[0]).toBeCloseTo(0.09001210433938742, 15);
    expect(shares[1]).toBeCloseTo(-0.1939970220005989, 15);
    expect(shares[2]).toBeCloseTo(0.07285919610626037, 15);
  });

  it("labels what each time step records, from step 1 to step T", () => {
    const parameters = toyParams(EXAMPLE.parameters);
    const loss = toyLoss(parameters, EXAMPLE.inputs, EXAMPLE.targets);
    const steps = contributions(loss, parameters.w, { by: "scope" });
    expect(steps.map(({ label }) => label)).toEqual(["step 1", "step 2", "step 3"]);
    steps.forEach(({ value }, t) => {
      expectWithin(value.item(), EXAMPLE.shares.w[t]!, 1e-14, EXAMPLE.scale.w, `step ${t + 1}`);
    });
  });

  it("unrolls 100,000 steps, forwards and backwards", () => {
    const steps = 100_000;
    const inputs = Array.from({ length: steps }, (_, t) => Math.sin(t));
    const targets = Array.from({ length: steps }, (_, t) => Math.cos(t));
    const parameters = toyParams(EXAMPLE.parameters);
    toyLoss(parameters, inputs, targets).backward();
    const { gradient, shares } = handwrittenRecurrence(EXAMPLE.parameters, inputs, targets);
    const scale = forEachParameter((name) => sumOfAbsolute(shares[name]));
    expectGradient(
      forEachParameter((name) => parameters[name].grad.item()),
      gradient,
      1e-12,
      scale,
      "100,000 steps",
    );
  });

  it.each<[string, readonly number[], readonly number[], string]>([
    [
      "too few targets",
      [1, 2, 3],
      [1],
      "toyLoss: expected 3 targets, one for each input, got 1; to predict the next element, nextElementPairs(sequence)",
    ],
    ["too many targets", [1], [1, 2], "expected 1 targets, one for each input, got 2"],
    ["no inputs", [], [], "at least one input"],
    ["NaN among the inputs", [1, 2, Number.NaN], [1, 2, 3], "inputs[2] is NaN"],
    ["NaN among the targets", [1, 2], [1, Number.NaN], "targets[1] is NaN"],
    ["Infinity", [Number.POSITIVE_INFINITY], [1], "inputs[0] is Infinity"],
  ])("refuses %s", (_, inputs, targets, message) => {
    const build = () => toyLoss(toyParams(EXAMPLE.parameters), inputs, targets);
    expect(build).toThrow(InputError);
    expect(build).toThrow(message);
  });
});

describe("toyParams", () => {
  it("names the parameters", () => {
    expect(Object.entries(toyParams(EXAMPLE.parameters)).map(([name, leaf]) => [name, leaf.name])).toEqual([
      ["u", "u"],
      ["v", "v"],
      ["w", "w"],
      ["s", "s"],
    ]);
  });

  it("refuses NaN", () => {
    expect(() => toyParams({ ...EXAMPLE.parameters, v: Number.NaN })).toThrow(InputError);
  });
});

describe("toyPredictions", () => {
  it("predicts u y_t, with which toyLoss is the sum of squared errors", () => {
    fc.assert(
      fc.property(randomCase(50), ({ parameters, inputs, targets }) => {
        const predictions = toyPredictions(toyParams(parameters), inputs).map((prediction) => prediction.item());
        const { states, loss } = handwrittenRecurrence(parameters, inputs, targets);
        expect(predictions.length).toBe(inputs.length);
        predictions.forEach((prediction, t) => {
          expectWithin(prediction, parameters.u * states[t + 1]!, 1e-14, Math.abs(parameters.u), `p_${t + 1}`);
        });
        const sum = predictions.reduce((total, prediction, t) => total + (targets[t]! - prediction) ** 2, 0);
        expectWithin(sum, loss, 1e-12, loss, "E");
      }),
    );
  });

  it("refuses NaN", () => {
    expect(() => toyPredictions(toyParams(EXAMPLE.parameters), [Number.NaN])).toThrow("toyPredictions: expected finite numbers");
  });
});

describe("trainToy", () => {
  const pairs = { inputs: [...EXAMPLE.inputs], targets: [...EXAMPLE.targets] };
  const values = (parameters: ReturnType<typeof toyParams>) => forEachParameter((name) => parameters[name].item());

  it("updates once for each sequence, with the gradient of the whole sequence", () => {
    const parameters = toyParams(EXAMPLE.parameters);
    const losses = trainToy(parameters, [pairs], { epochs: 1, rule: sgd({ learningRate: 0.1 }) });
    expect(losses).toHaveLength(1);
    expect(losses[0]).toBeCloseTo(EXAMPLE.loss, 13);
    const expected = forEachParameter((name) => EXAMPLE.parameters[name] - 0.1 * EXAMPLE.gradient[name]);
    expectGradient(values(parameters), expected, 1e-14, { u: 1, v: 1, w: 1, s: 1 }, "one update");
  });

  it("goes through the sequences one after the other, each with the parameters that the last one left", () => {
    const second = nextElementPairs([0.3, -0.2, 0.9]);
    const parameters = toyParams(EXAMPLE.parameters);
    const losses = trainToy(parameters, [pairs, second], { epochs: 1, rule: sgd({ learningRate: 0.1 }) });
    const between = forEachParameter((name) => EXAMPLE.parameters[name] - 0.1 * EXAMPLE.gradient[name]);
    const { gradient, loss } = handwrittenRecurrence(between, second.inputs, second.targets);
    const expected = forEachParameter((name) => between[name] - 0.1 * gradient[name]);
    expectGradient(values(parameters), expected, 1e-14, { u: 1, v: 1, w: 1, s: 1 }, "two updates");
    expect(losses).toEqual([expect.closeTo(EXAMPLE.loss + loss, 13)]);
  });

  it.each([
    ["plain gradient descent", undefined],
    ["adam", adam({ learningRate: 0.05 })],
  ])("learns an alternating sequence by %s", (_, rule) => {
    const parameters = toyParams({ u: 0.5, v: 0.1, w: -0.3, s: 0.5 });
    const sequence = nextElementPairs(Array.from({ length: 21 }, (__, t) => t % 2));
    const losses = trainToy(parameters, [sequence], { epochs: 500, ...(rule === undefined ? {} : { rule }) });
    expect(losses).toHaveLength(500);
    // Always predicting 1/2 has E = 20 / 4.
    expect(losses[0]!).toBeGreaterThan(4);
    expect(losses.at(-1)!).toBeLessThan(0.5);
  });

  it("leaves the parameters alone in no epochs", () => {
    const parameters = toyParams(EXAMPLE.parameters);
    expect(trainToy(parameters, [pairs], { epochs: 0 })).toEqual([]);
    expect(values(parameters)).toEqual(EXAMPLE.parameters);
  });

  it.each<[string, () => unknown, string]>([
    ["no sequences", () => trainToy(toyParams(EXAMPLE.parameters), [], { epochs: 1 }), "at least one sequence"],
    ["half an epoch", () => trainToy(toyParams(EXAMPLE.parameters), [pairs], { epochs: 0.5 }), "whole number, 0 or more, got 0.5"],
    [
      "a wrong number of targets",
      () => trainToy(toyParams(EXAMPLE.parameters), [{ inputs: [1, 2], targets: [1] }], { epochs: 1 }),
      "expected 2 targets",
    ],
  ])("refuses %s", (_, train, message) => {
    expect(train).toThrow(InputError);
    expect(train).toThrow(message);
  });
});
