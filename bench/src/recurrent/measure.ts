/**
 * One process, one variant of a training step: `node recurrent/measure.js CASE VARIANT REFERENCE STARTED [--quick]`, with an IPC channel to
 * run.js. REFERENCE is the file of what is to come out, STARTED the wall clock in ms at which the process was started.
 */
import { disagreement } from "../workload.js";
import { TRAINING_CASES, type TrainingVariant } from "./cases.js";
import { trainingTimes } from "./clock.js";
import { recurrentProblem } from "./problem.js";
import { FLOAT32_TOLERANCE, readReference } from "./reference.js";
import type { TrainingMeasurement } from "./results.js";
import { send } from "../message.js";

const [name, variant, referenceFile, started, mode] = process.argv.slice(2);
const found = TRAINING_CASES.find((c) => c.name === name);
const load = found?.variants[variant as TrainingVariant];
if (found === undefined || load === undefined) throw new Error(`no case ${name} with variant ${variant}`);

const beforeData = performance.now();
const problem = recurrentProblem(found.kind, found.size);
const making = performance.now() - beforeData;
const training = await load(problem);

let whole = NaN;
const times = await trainingTimes(training, mode === "--quick" ? 0.2 : 0.6, () => {
  whole = training.whole?.() ?? performance.timeOrigin + performance.now() - Number(started) - making;
});

const results = await training.results();
training.close?.();
const wrong = results === null ? null : disagreement(results, readReference(referenceFile!), FLOAT32_TOLERANCE);
if (wrong !== null) throw new Error(`it computes something else: ${wrong}`);
const measurement: TrainingMeasurement = { whole, ...times };
send(measurement);
