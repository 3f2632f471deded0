/** `pnpm bench`: every case and variant in a process of its own, in turn; tables on the terminal, and results/ after a full run. */
import { mkdirSync, writeFileSync } from "node:fs";
import { CASES, type Case, type Variant } from "./cases.js";
import { MEMORY_CASES } from "./memory/cases.js";
import { HELP, type Options, parseOptions } from "./options.js";
import { messageOf } from "./processes.js";
import { provenance } from "./provenance.js";
import { markdownPage } from "./report/markdown.js";
import { tablesOf } from "./report/tables.js";
import { terminalTable } from "./report/terminal.js";
import type { Measurement, MemoryResult, Results, StartupResult, TimedResult } from "./results.js";
import { measureStartup } from "./startup.js";
import { verdicts } from "./targets.js";

const STARTUP = "startup";
const names = [...CASES.map(({ name }) => name), ...MEMORY_CASES.map(({ name }) => name), STARTUP];

async function main(options: Options): Promise<void> {
  const selected = (name: string) => options.only.length === 0 || options.only.includes(name);
  const results: Results = {
    memory: await memoryResults(options, selected),
    startup: selected(STARTUP) ? startupResult(options) : null,
    timed: await timedResults(options, selected),
  };
  const tables = tablesOf(results);
  console.log(`\n${tables.map(terminalTable).join("\n")}`);
  if (options.quick || options.only.length > 0) {
    console.log("A quick or partial run: bench/results was left as it is.");
    return;
  }
  const source = provenance(options.rounds);
  const folder = new URL("../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("latest.json", folder), `${JSON.stringify({ ...source, targets: verdicts(results), ...results }, rounded, 1)}\n`);
  writeFileSync(new URL("latest.md", folder), markdownPage(tables, source));
}

/** Round after round, so that slow phases of the machine meet all variants of a case. */
async function timedResults({ rounds, quick }: Options, selected: (name: string) => boolean): Promise<TimedResult[]> {
  const measured = new Map<Case, Partial<Record<Variant, Measurement[]>>>();
  for (const c of CASES) if (selected(c.name)) measured.set(c, {});
  for (let round = 1; round <= rounds; round++) {
    for (const [c, variants] of measured) {
      for (const variant of Object.keys(c.workloads) as Variant[]) {
        note(`round ${round} of ${rounds}: ${c.name}, ${variant}`);
        const args = [c.name, variant, ...(quick ? ["--quick"] : [])];
        (variants[variant] ??= []).push(await messageOf<Measurement>("measure.js", args));
      }
    }
  }
  return [...measured].map(([{ name, title, unit, base, absent = {} }, variants]) => ({
    name,
    title,
    unit,
    base,
    absent,
    rounds: variants,
  }));
}

async function memoryResults({ quick }: Options, selected: (name: string) => boolean): Promise<MemoryResult[]> {
  const results: MemoryResult[] = [];
  for (const { name, title } of MEMORY_CASES.filter((c) => selected(c.name))) {
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
  if (options === "help") console.log(HELP);
  else await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
