/** One process, one memory case: `node remember.js CASE [--quick]`, with an IPC channel to run.js. */
import { MEMORY_CASES } from "./memory/cases.js";
import { send } from "./message.js";

const [name, mode] = process.argv.slice(2);
const found = MEMORY_CASES.find((c) => c.name === name);
if (found === undefined) throw new Error(`no memory case ${name}`);

const report = await found.run(mode === "--quick");
send(report);
