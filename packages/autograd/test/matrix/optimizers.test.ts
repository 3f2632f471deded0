import { describe, expect, it } from "vitest";
import { param, type Value } from "../../src/index.js";
import { adam, optimizer, sgd, type UpdateRule } from "../../src/optim/index.js";
import { disagreements } from "./agreement.js";
import { constant, decodeArray, type OptimizerCase, optimizerCases } from "./references.js";

type Arrays = OptimizerCase["start"];
type Named = Readonly<Record<string, Value>>;

const [given] = optimizerCases as readonly [OptimizerCase];
const TRAJECTORIES = optimizerCases
  .slice(1)
  .map((reference) => [`${reference.rule} ${JSON.stringify(reference.options)}`, reference] as const);

const read = (arrays: Arrays): Named => Object.fromEntries(Object.entries(arrays).map(([name, x]) => [name, constant(decodeArray(x))]));
const ruleOf = ({ rule, options }: OptimizerCase): UpdateRule<never> => (rule === "sgd" ? sgd(options as never) : adam(options)) as never;

function wrongStep(step: number, params: Named, expected: Arrays): string[] {
  return Object.entries(expected).flatMap(([name, x]) =>
    disagreements(`${name} after step ${step + 1}`, params[name] as Value, decodeArray(x)),
  );
}

describe("update rules follow torch.optim for ten steps", () => {
  it.each(TRAJECTORIES)("%s, as a pure rule", (_name, reference) => {
    const rule = ruleOf(reference) as unknown as { init(p: Named): unknown; update(p: Named, g: Named, s: unknown): [Named, unknown] };
    let params = read(given.start);
    let state = rule.init(params);
    given.gradients.forEach((gradients, step) => {
      [params, state] = rule.update(params, read(gradients), state);
      expect(wrongStep(step, params, reference.trajectory[step] as Arrays)).toEqual([]);
    });
  });

  it.each(TRAJECTORIES)("%s, stepping params by their .grad", (_name, reference) => {
    const params = Object.fromEntries(
      Object.entries(read(given.start)).map(([name, x]) => [name, param(x.data.slice(), { shape: x.shape })]),
    );
    const stepper = optimizer(ruleOf(reference) as never, params as never);
    given.gradients.forEach((gradients, step) => {
      stepper.zeroGrad();
      for (const [name, g] of Object.entries(read(gradients))) params[name]!.mul(g).sum().backward();
      stepper.step();
      expect(wrongStep(step, params, reference.trajectory[step] as Arrays)).toEqual([]);
    });
  });

  it("a rule changes none of its arguments", () => {
    const rule = adam({ learningRate: 0.1, weightDecay: 0.1 }) as unknown as {
      init(p: Named): unknown;
      update(p: Named, g: Named, s: unknown): [Named, unknown];
    };
    const [params, gradients] = [read(given.start), read(given.gradients[0] as Arrays)];
    const state = rule.init(params);
    const snapshot = () => JSON.stringify([params, gradients].map((tree) => Object.values(tree).map((x) => x.toArray())));
    const before = snapshot();
    const [first] = rule.update(params, gradients, state);
    const [again] = rule.update(params, gradients, state);
    expect(snapshot()).toBe(before);
    expect(again["w"]!.toArray()).toEqual(first["w"]!.toArray());
  });
});
