import { describe, expect, it } from "vitest";
import { param, value } from "../../src/index.js";
import { adam, clipByGlobalNorm, optimizer } from "../../src/optim/index.js";
import { given, type Named, read, ruleOf, TRAJECTORIES, wrongStep, wrongTrajectory } from "./trajectories.js";

describe("update rules follow torch.optim for ten steps", () => {
  it.each(TRAJECTORIES)("%s, as a pure rule", (_name, reference) => {
    expect(wrongTrajectory(reference)).toEqual([]);
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
      expect(wrongStep(step, params, reference.trajectory[step]!)).toEqual([]);
    });
  });

  it("a rule changes none of its arguments", () => {
    const rule = adam({ learningRate: 0.1, weightDecay: 0.1 }) as unknown as {
      init(p: Named): unknown;
      update(p: Named, g: Named, s: unknown): [Named, unknown];
    };
    const [params, gradients] = [read(given.start), read(given.gradients[0]!)];
    const state = rule.init(params);
    const snapshot = () => JSON.stringify([params, gradients].map((tree) => Object.values(tree).map((x) => x.toArray())));
    const before = snapshot();
    const [first] = rule.update(params, gradients, state);
    const [again] = rule.update(params, gradients, state);
    expect(snapshot()).toBe(before);
    expect(again["w"]!.toArray()).toEqual(first["w"]!.toArray());
  });
});

describe("clipByGlobalNorm", () => {
  it("leaves what is short enough exactly as it is", () => {
    for (let maxNorm = 6; maxNorm < 1000; maxNorm += 7) expect(clipByGlobalNorm(value([3, 4]), maxNorm)[0].toArray()).toEqual([3, 4]);
    expect(clipByGlobalNorm({ w: value([3, 4]) }, Infinity)[0].w.toArray()).toEqual([3, 4]);
  });

  it("and brings what is longer to the length", () => {
    const [{ w }, norm] = clipByGlobalNorm({ w: value([30, 40]) }, 5);
    expect(norm.item()).toBe(50);
    Array.from(w.data).forEach((x, k) => expect(x).toBeCloseTo([3, 4][k]!, 14));
  });
});
