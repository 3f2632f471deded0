/**
 * Checks copies of the package, each with one rule broken: `run.ts FOLDER OP…`, where FOLDER/0, FOLDER/1, … are the copies and OP the
 * operation to check in each. Prints what was found in each, as JSON.
 */
import { pathToFileURL } from "node:url";

const [folder = "", ...ops] = process.argv.slice(2);
const results: Record<string, string>[] = [];
for (const [k, op] of ops.entries()) {
  const at = (path: string) => pathToFileURL(`${folder}/${k}/${path}`).href;
  // The scalar switch and the array loops are generated from the table: they must follow it.
  await import(at("scripts/generate.ts"));
  const checks = (await import(at("test/matrix/mutants/checks.ts"))) as typeof import("./checks.js");
  results.push(checks.findings(op));
}
console.log(JSON.stringify(results));
