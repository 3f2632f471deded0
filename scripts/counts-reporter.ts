import { DefaultReporter, type TestCase, type TestModule } from "vitest/node";

/** What a run came to. A file that does not load, a suite whose set-up fails, and an error outside every test count as failed. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

type Errors = Parameters<DefaultReporter["onTestRunEnd"]>[1];
type Reason = Parameters<DefaultReporter["onTestRunEnd"]>[2];

/** Vitest's own report, and after it one line alone, `N passed, N failed, N skipped`, for whoever reads plain counts. */
export default class CountsReporter extends DefaultReporter {
  override onTestRunEnd(modules: readonly TestModule[], errors: Errors, reason: Reason): void {
    super.onTestRunEnd(modules, errors, reason);
    this.ctx.logger.log(countsLine(countTests(modules, errors.length)));
  }
}

/** The counts of all tests of the modules; `strayErrors` were thrown outside every test. */
export function countTests(modules: readonly Pick<TestModule, "children" | "errors">[], strayErrors: number): Counts {
  const counts: Counts = { passed: 0, failed: strayErrors, skipped: 0 };
  for (const module of modules) {
    for (const test of module.children.allTests()) counts[outcome(test)] += 1;
    const notRun = [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0);
    counts.failed += notRun.length;
  }
  return counts;
}

export function countsLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** A test that never came to an end (the run was interrupted) did not pass. */
function outcome(test: TestCase): keyof Counts {
  const { state } = test.result();
  return state === "pending" ? "failed" : state;
}
