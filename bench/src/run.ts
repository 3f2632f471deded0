/** `pnpm bench`: every case and variant in a process of its own, in turn; tables on the terminal, and results/ after a full run. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CASES } from "./cases.js";
import { MEMORY_CASES } from "./memory/cases.js";
import { runOnNode } from "./node.js";
import { HELP, isSelected, type Options, parseOptions } from "./options.js";
import { messageOf } from "./processes.js";
import { provenance, type Provenance } from "./provenance.js";
import { TRAINING_CASES } from "./recurrent/cases.js";
import { compileResult } from "./recurrent/compileTime.js";
import { trainingResults } from "./recurrent/rounds.js";
import { markdownPage } from "./report/markdown.js";
import { tablesOf } from "./report/tables.js";
import { terminalTable } from "./report/terminal.js";
import { type MemoryResult, type Results, type StartupResult, withOthers } from "./results.js";
import { timedResults } from "./rounds.js";
import { measureStartup } from "./startup.js";
import { verdicts } from "./targets.js";

const OWN_FOLDER = fileURLToPath(new URL("../results/", import.meta.url));
const STARTUP = "startup";
const COMPILE_TIME = "compile-time";
const names = [...[...CASES, ...TRAINING_CASES, ...MEMORY_CASES].map(({ name }) => name), COMPILE_TIME, STARTUP];

async function main(options: Options): Promise<void> {
  const selected = ({ name }: { readonly name: string }) => isSelected(name, options, names);
  const results: Results = {
    node: process.versions.node,
    memory: await memoryResults(options, MEMORY_CASES.filter(selected)),
    startup: selected({ name: STARTUP }) ? startupResult(options) : null,
    timed: await timedResults(CASES.filter(selected), options, note),
    training: await trainingResults(TRAINING_CASES.filter(selected), options, note),
    compiling: selected({ name: COMPILE_TIME }) ? await compileResult(options.rounds, note) : null,
  };
  console.log(`\n${tablesOf(results).map(terminalTable).join("\n")}`);
  if (options.renew) return write(...renewed(results, options), OWN_FOLDER);
  const folder = folderOf(options);
  if (folder === null) console.log("A quick or partial run: bench/results was left as it is.");
  else write(results, provenance(options), folder);
}

function folderOf({ out, quick, only }: Options): string | null {
  if (out !== null) return out;
  return quick || only.length > 0 ? null : OWN_FOLDER;
}

/** `latest.*` on the Node that the packages are written for, and one pair of files more for any other. */
function pathIn(folder: string, node: string): string {
  const major = Number.parseInt(node);
  return join(folder, major === 20 ? "latest" : `latest-node${major}`);
}

function write(results: Results, source: Provenance, folder: string): void {
  const path = pathIn(folder, results.node);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.json`, `${JSON.stringify({ ...source, targets: verdicts(results), ...results }, rounded, 1)}\n`);
  writeFileSync(`${path}.md`, markdownPage(tablesOf(results), source));
}

/** With the other cases as they are in bench/results. */
function renewed(results: Results, options: Options): [Results, Provenance] {
  const before = JSON.parse(readFileSync(`${pathIn(OWN_FOLDER, results.node)}.json`, "utf8")) as Results & Provenance;
  const { date, node, torch, cpu, cores, commit, rounds, trainingRounds, disturbances, kept } = before;
  const source = { date, node, torch, cpu, cores, commit, rounds, trainingRounds, disturbances, ...(kept !== undefined && { kept }) };
  return [withOthers(results, before), { ...provenance(options), kept: { but: options.only, source } }];
}

async function memoryResults({ quick }: Options, cases: typeof MEMORY_CASES): Promise<MemoryResult[]> {
  const results: MemoryResult[] = [];
  for (const { name, title } of cases) {
    note(`memory: ${name}`);
    results.push({
      name,
      title,
      ...(await messageOf<Omit<MemoryResult, "name" | "title">>("remember.js", [name, ...(quick ? ["--quick"] : [])])),
    });
  }
  return results;
}

function startupResult({ quick }: Options): StartupResult {
  note(STARTUP);
  return measureStartup(quick ? 7 : 25);
}

/** What runs now, on stderr: the tables alone go to stdout. */
function note(text: string): void {
  console.error(text);
}

/** Six significant digits are more than the machine gives. */
function rounded(_key: string, x: unknown): unknown {
  return typeof x === "number" ? Number(x.toPrecision(6)) : x;
}

try {
  const options = parseOptions(process.argv.slice(2), names);
  const exitCode = options === "help" || options.node === null ? null : runOnNode(options.node);
  if (options === "help") console.log(HELP);
  else if (exitCode === null) await main(options);
  else process.exitCode = exitCode;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
