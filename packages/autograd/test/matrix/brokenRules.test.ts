import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MUTANTS, type Mutant } from "./mutants/mutants.js";
import { sampled } from "./sampling.js";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const ROOT = join(PACKAGE, "../..");

/** A pattern that finds code however it is wrapped. */
function pattern(code: string): RegExp {
  const tokens = code.match(/[\w.]+|[^\s\w.]/g) ?? [];
  return new RegExp(tokens.map((token) => token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s*,?\\s*"), "g");
}

/** The source with the mutant's place replaced; throws where the rule is not found once, since then the mutant must be brought up to date. */
function broken(source: string, { what, within, from, to }: Mutant): string {
  const start = source.indexOf(`\n${within.startsWith(" ") ? "" : "export "}${within}`);
  const fallback = start < 0 ? source.indexOf(`\n${within}`) : start;
  if (fallback < 0) throw new Error(`${what}: no line begins with "${within}"`);
  const indent = /^ */.exec(within)?.[0] ?? "";
  const end = source.indexOf(`\n${indent}}`, fallback);
  const block = source.slice(fallback, end);
  const places = [...block.matchAll(pattern(from))];
  if (places.length === 0) throw new Error(`${what}: "${from}" is not in the block of "${within}"; write the mutant anew`);
  const [{ 0: found, index }] = places as [RegExpExecArray];
  return source.slice(0, fallback) + block.slice(0, index) + to + block.slice(index + found.length) + source.slice(end);
}

function copyPackage(folder: string): void {
  mkdirSync(join(folder, "test"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const part of ["src", "scripts", "test/matrix"]) cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  symlinkSync(join(PACKAGE, "test/references"), join(folder, "test/references"), "dir");
}

const mutants = sampled(MUTANTS, 3, ({ file }) => file);
type Findings = Readonly<Record<string, Readonly<Record<string, string>>>>;

describe("a rule broken on purpose is caught", () => {
  const folder = mkdtempSync(join(tmpdir(), "unroll-mutants-"));
  let sound: Findings = {};
  let found: readonly Findings[] = [];

  beforeAll(async () => {
    copyPackage(join(folder, "0"));
    mutants.forEach((mutant, k) => {
      const copy = join(folder, String(k + 1));
      copyPackage(copy);
      const file = join(copy, "src", mutant.file);
      writeFileSync(file, broken(readFileSync(file, "utf8"), mutant));
    });
    const ops = [[...new Set(mutants.map(({ op }) => op))].join(), ...mutants.map(({ op }) => op)];
    const script = join(PACKAGE, "test/matrix/mutants/run.ts");
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script, folder, ...ops], {
      cwd: ROOT,
      maxBuffer: 1 << 26,
    });
    [sound = {}, ...found] = JSON.parse(stdout) as Findings[];
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(mutants.map((mutant, k) => [mutant.what, mutant, k] as const))("%s", (_what, { op, caughtBy }, k) => {
    expect(sound[op], "the sound rule passes every check").toEqual({});
    expect(Object.keys(found[k]?.[op] ?? {})).toEqual(expect.arrayContaining([...caughtBy]));
  });
});
