import type { Value } from "../../src/index.js";
import { adam, sgd, type UpdateRule } from "../../src/optim/index.js";
import { disagreements } from "./agreement.js";
import { constant, decodeArray, type OptimizerCase, optimizerCases } from "./references.js";

type Arrays = OptimizerCase["start"];
export type Named = Readonly<Record<string, Value>>;
export type Trajectory = OptimizerCase;

export const [given] = optimizerCases as readonly [OptimizerCase];
export const TRAJECTORIES = optimizerCases
  .slice(1)
  .map((reference) => [`${reference.rule} ${JSON.stringify(reference.options)}`, reference] as const);

export const read = (arrays: Arrays): Named =>
  Object.fromEntries(Object.entries(arrays).map(([name, x]) => [name, constant(decodeArray(x))]));
export const ruleOf = ({ rule, options }: OptimizerCase): UpdateRule<never> =>
  (rule === "sgd" ? sgd(options as never) : adam(options)) as never;

export function wrongStep(step: number, params: Named, expected: Arrays): string[] {
  return Object.entries(expected).flatMap(([name, x]) =>
    disagreements(`${name} after step ${step + 1}`, params[name] as Value, decodeArray(x)),
  );
}

/** Follows a rule, as `prepare` gives it, for the steps of the reference. */
export function wrongTrajectory(reference: Trajectory, prepare = (rule: UpdateRule<never>) => rule): string[] {
  const rule = prepare(ruleOf(reference)) as unknown as {
    init(p: Named): unknown;
    update(p: Named, g: Named, s: unknown): [Named, unknown];
  };
  let params = read(given.start);
  let state = rule.init(params);
  return given.gradients.flatMap((gradients, step) => {
    [params, state] = rule.update(params, read(gradients), state);
    return wrongStep(step, params, reference.trajectory[step] as Arrays);
  });
}
