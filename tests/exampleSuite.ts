import { describe, expect, test } from "vitest";
import { checkPrints, type Example, place, StagedExamples } from "./examples.js";

/** Tests of each example: it has no type error, it runs, and it prints what it shows. `name` is that of a folder of their own. */
export function testExamples(name: string, examples: readonly Example[]): void {
  if (examples.length === 0) return;
  const staged = new StagedExamples(name, examples);
  const cases = examples.map((example) => [place(example), example] as const);
  describe(`examples of ${name}`, () => {
    const errors = staged.typeErrors();
    test.for(cases)("%s has no type error", ([, example]) => {
      expect(errors.get(example)).toEqual([]);
    });
    test.for(cases)("%s prints what it shows", async ([, example]) => checkPrints(example, await staged.run(example)));
  });
}
