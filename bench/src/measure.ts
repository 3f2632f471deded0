/** One process, one workload: `node measure.js CASE VARIANT [--quick]`, with an IPC channel to run.js. */
import benny from "benny";
import { CASES, type Case, type Variant } from "./cases.js";
import { forwardShare } from "./clock.js";
import type { Measurement } from "./results.js";
import { disagreement, type Workload } from "./workload.js";
import { send } from "./message.js";

const [caseName, variant, mode] = process.argv.slice(2);
const found = CASES.find((c) => c.name === caseName);
const load = found?.workloads[variant as Variant];
if (found === undefined || load === undefined) throw new Error(`no case ${caseName} with variant ${variant}`);

const workload = await load();
const measurement = await time(found, workload, mode === "--quick");

// After the timing: the reference runs in this process too.
const wrong = disagreement(workload.results(), await found.reference(), found.tolerance);
if (wrong !== null) throw new Error(`${caseName}, ${variant}: not reported, for it computes something else: ${wrong}`);
send(measurement);

async function time({ name, count, long = false }: Case, { forward, backward }: Workload, quick: boolean): Promise<Measurement> {
  const call =
    backward === undefined
      ? () => forward()
      : () => {
          forward();
          backward();
        };
  const seconds = quick ? 0.2 : 0.6;
  const options = long ? { minSamples: 2, maxTime: seconds } : { minSamples: 5, maxTime: seconds };
  // The warm-up: V8 must have optimised before benny decides how many calls a sample takes.
  const warm = performance.now() + (long ? 0 : 300);
  do call();
  while (performance.now() < warm);
  let median = NaN;
  await benny.suite(
    name,
    benny.add(name, call, options),
    benny.complete(({ results }) => {
      median = results[0]!.details.median;
    }),
  );
  const both = (1e9 * median) / count;
  const share = forwardShare(workload, seconds / 2);
  return { both, forward: both * share, backward: both * (1 - share) };
}
