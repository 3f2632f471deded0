import { expect, test } from "vitest";
import { countsLine, countTests } from "../scripts/counts-reporter.js";

type Module = Parameters<typeof countTests>[0][number];
type State = "passed" | "failed" | "skipped" | "pending";

/** A test file as the runner reports it: the states of its tests, the errors of loading it and of setting up its one suite. */
const file = (states: State[], errors: string[] = [], suiteErrors: string[] = []): Module =>
  ({
    children: {
      allTests: () => states.map((state) => ({ result: () => ({ state }) })),
      allSuites: () => [{ errors: () => suiteErrors }],
    },
    errors: () => errors,
  }) as unknown as Module;

test.for<[string, Module[], number, string]>([
  ["nothing", [], 0, "0 passed, 0 failed, 0 skipped"],
  ["tests of several files", [file(["passed", "failed"]), file(["passed", "skipped"])], 0, "2 passed, 1 failed, 1 skipped"],
  ["a file that does not load", [file(["passed"]), file([], ["no such module"])], 0, "1 passed, 1 failed, 0 skipped"],
  ["a suite whose set-up fails", [file(["skipped", "skipped"], [], ["no browser"])], 0, "0 passed, 1 failed, 2 skipped"],
  ["an error outside every test", [file(["passed"])], 2, "1 passed, 2 failed, 0 skipped"],
  ["a test that never ended", [file(["pending"])], 0, "0 passed, 1 failed, 0 skipped"],
])("counts of %s", ([, modules, strayErrors, line]) => {
  expect(countsLine(countTests(modules, strayErrors))).toBe(line);
});
