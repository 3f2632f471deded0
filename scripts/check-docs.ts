/**
 * The pictures and tables of the README are what their scripts write: `tsx --conditions=source scripts/check-docs.ts` says which are not.
 * With `--write` it writes the picture of the graph and the table of speed (from bench/results); with `--write --forecast` also what
 * comes from the demo's forecast, which takes as long as the demo.
 */
import { forecastParts, PARTS } from "./docs/parts.js";
import { failWith } from "./run.js";

const flags = process.argv.slice(2);
const parts = [...PARTS, ...(flags.includes("--forecast") ? await forecastParts() : [])];
if (flags.includes("--write")) {
  for (const { write, due } of parts) write(due());
} else {
  failWith(parts.filter(({ current, due }) => current() !== due()).map(({ what }) => `${what} is not what scripts/check-docs.ts writes`));
  console.log("pictures and tables are up to date");
}
