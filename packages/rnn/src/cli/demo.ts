/** The program: `pnpm demo`; `pnpm demo --help` says what it takes. */
import { runDemo } from "./main.js";

// pnpm runs the demo in the root of the workspace, and says in INIT_CWD where the user is.
const folder = process.env["INIT_CWD"] ?? process.cwd();
process.exitCode = await runDemo(process.argv.slice(2), folder, { out: process.stdout, err: process.stderr });
