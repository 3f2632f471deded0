/** One process, the reference of one case: `node recurrent/refer.js CASE FILE`, with an IPC channel to run.js. */
import { send } from "../message.js";
import { TRAINING_CASES } from "./cases.js";
import { recurrentProblem } from "./problem.js";
import { recurrentReference, writeReference } from "./reference.js";

const [name, file] = process.argv.slice(2);
const found = TRAINING_CASES.find((c) => c.name === name);
if (found === undefined || file === undefined) throw new Error(`no case ${name}, or no file`);
writeReference(file, recurrentReference(recurrentProblem(found.kind, found.size)));
send(file);
