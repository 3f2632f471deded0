/** One process, one memory case: `node remember.js CASE [--quick]`, with an IPC channel to run.js. */
import { MEMORY_CASES } from "./memory/cases.js";

const [name, mode] = process.argv.slice(2);
const found = MEMORY_CASES.find((c) => c.name === name);
if (found === undefined) throw new Error(`no memory case ${name}`);

const report = await found.run(mode === "--quick");
if (process.send === undefined) console.log(report);
else process.send(report);
