import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findings } from "./mutants/checks.js";
import { MUTANTS, type Mutant } from "./mutants/mutants.js";
import { sampled } from "./sampling.js";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const RUN = fileURLToPath(new URL("./mutants/run.ts", import.meta.url));
const ROOT = join(PACKAGE, "../..");

/** A pattern that finds code however it is wrapped. */
function pattern(code: string): RegExp {
  const tokens = code.match(/[\w.]+|[^\s\w.]/g) ?? [];
  return new RegExp(tokens.map((token) => token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s*,?\\s*"));
}

/** The source with the mutant's place replaced; throws where the rule is not found: then the mutant must be brought up to date. */
function broken(source: string, { what, within, from, to }: Mutant): string {
  const start = source.indexOf(`\n${within}`);
  if (start < 0) throw new Error(`${what}: no line begins with "${within}"; write the mutant anew`);
  const indent = /^ */.exec(within)?.[0] ?? "";
  const end = source.indexOf(`\n${indent}}`, start);
  const place = pattern(from).exec(source.slice(start, end));
  if (place === null) throw new Error(`${what}: "${from}" is not in the block of "${within}"; write the mutant anew`);
  const at = start + place.index;
  return source.slice(0, at) + to + source.slice(at + place[0].length);
}

function copyPackage(folder: string): void {
  mkdirSync(join(folder, "test"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const part of ["src", "scripts", "test/matrix"]) cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  symlinkSync(join(PACKAGE, "test/references"), join(folder, "test/references"), "dir");
}

const mutants = sampled(MUTANTS, 8, ({ file }) => file);

describe("a rule broken on purpose is caught", () => {
  let folder = "";
  let found: readonly Readonly<Record<string, string>>[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "unroll-mutants-"));
    mutants.forEach((mutant, k) => {
      const copy = join(folder, String(k));
      copyPackage(copy);
      const file = join(copy, "src", mutant.file);
      writeFileSync(file, broken(readFileSync(file, "utf8"), mutant));
    });
    const ops = mutants.map(({ op }) => op);
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", RUN, folder, ...ops], {
      cwd: ROOT,
      maxBuffer: 1 << 26,
    });
    found = JSON.parse(stdout) as typeof found;
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(mutants.map((mutant, k) => [mutant.what, mutant, k] as const))("%s", (_what, { op, caughtBy }, k) => {
    expect(findings(op), "the sound rule passes every check").toEqual({});
    expect(Object.keys(found[k] ?? {})).toEqual(expect.arrayContaining([...caughtBy]));
  });
});
