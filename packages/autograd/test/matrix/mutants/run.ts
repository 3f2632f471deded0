/**
 * Checks copies of the package, each with one rule broken: `run.ts FOLDER OP…`, where FOLDER/0, FOLDER/1, … are the copies and the
 * operations are those to check in each, separated by commas. Prints what was found in each, as JSON.
 */
import { pathToFileURL } from "node:url";

const [folder = "", ...lists] = process.argv.slice(2);
const results: Record<string, Record<string, string>>[] = [];
for (const [k, list] of lists.entries()) {
  const at = (path: string) => pathToFileURL(`${folder}/${k}/${path}`).href;
  // The scalar switch and the array loops are generated from the table: they must follow it.
  await import(at("scripts/generate.ts"));
  const { findings } = (await import(at("test/matrix/mutants/checks.ts"))) as { findings(op: string): Record<string, string> };
  results.push(Object.fromEntries(list.split(",").map((op) => [op, findings(op)])));
}
console.log(JSON.stringify(results));
