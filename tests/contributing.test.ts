/** The patches of CONTRIBUTING.md, applied to a copy of the engine: they fit, they compile, and the operations that they add are right. */
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { compilerOptions, ROOT } from "./publicNames.js";

type Autograd = typeof import("@unroll/autograd");
type Inspect = typeof import("@unroll/autograd/inspect");
type Value = InstanceType<Autograd["Value"]>;

/** Of @unroll/autograd/compile, what is used here. */
interface Compile {
  compile<R>(f: (x: Value) => R): ((x: number | readonly number[]) => R) & { stats(): { readonly plain: readonly string[] } };
}

const PACKAGE = "packages/autograd";
const WORKSPACE = join(ROOT, "tests/.examples/contributing");
const COPY = join(WORKSPACE, PACKAGE);

interface Patch {
  /** From the root of the workspace. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

function patchesIn(page: string): Patch[] {
  return [...page.matchAll(/^```diff (\S+)\n([\s\S]*?)^```$/gm)].map(([, file = "", text = ""]) => {
    const lines = text.trimEnd().split("\n");
    const side = (sign: string) => lines.filter((line) => line.startsWith(" ") || line.startsWith(sign)).map((line) => line.slice(1));
    return { file, before: side("-").join("\n"), after: side("+").join("\n") };
  });
}

/** Throws unless the lines that a patch leaves or takes away stand in the text once. */
function patched(text: string, { file, before, after }: Patch): string {
  const padded = `\n${text}`;
  const at = padded.indexOf(`\n${before}\n`);
  if (at < 0) throw new Error(`the patch of ${file} fits nowhere:\n${before}`);
  if (padded.includes(`\n${before}\n`, at + 1)) throw new Error(`the patch of ${file} fits in more than one place:\n${before}`);
  return text.slice(0, at) + after + text.slice(at + before.length);
}

const patches = patchesIn(readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8"));

const changed = (path: string): boolean =>
  path.endsWith(".generated.ts") || patches.some(({ file }) => path === join(COPY, file.slice(PACKAGE.length)));

interface Case {
  readonly name: string;
  readonly x: number | readonly number[];
  readonly value: number | readonly number[];
  /** Of the sum of the result. */
  readonly gradient: number | readonly number[];
  /** The Hessian of the sum of the squared result, times a vector of ones. */
  readonly second: number | readonly number[];
}

const CASES: readonly Case[] = [
  { name: "gaussian", x: 1, value: Math.exp(-1), gradient: -2 * Math.exp(-1), second: 12 * Math.exp(-2) },
  { name: "atan", x: 1, value: Math.PI / 4, gradient: 1 / 2, second: 1 / 2 - Math.PI / 4 },
  { name: "rootMeanSquare", x: [1, 7], value: 5, gradient: [0.1, 0.7], second: [1, 1] },
  { name: "cumulativeSum", x: [1, 2, 3], value: [1, 3, 6], gradient: [3, 2, 1], second: [12, 10, 6] },
];

describe("the patches of CONTRIBUTING.md", () => {
  let autograd: Autograd;
  let inspect: Inspect;
  let compile: Compile["compile"];

  beforeAll(async () => {
    rmSync(WORKSPACE, { recursive: true, force: true });
    cpSync(join(ROOT, "tsconfig.base.json"), join(WORKSPACE, "tsconfig.base.json"));
    for (const part of ["package.json", "src", "scripts"]) cpSync(join(ROOT, PACKAGE, part), join(COPY, part), { recursive: true });
    for (const patch of patches) {
      const path = join(COPY, patch.file.slice(PACKAGE.length));
      writeFileSync(path, patched(readFileSync(path, "utf8"), patch));
    }
    execFileSync(process.execPath, ["--import", "tsx", join(COPY, "scripts/generate.ts")], { cwd: ROOT });
    autograd = (await import(pathToFileURL(join(COPY, "src/index.ts")).href)) as Autograd;
    inspect = (await import(pathToFileURL(join(COPY, "src/inspect/index.ts")).href)) as Inspect;
    ({ compile } = (await import(pathToFileURL(join(COPY, "src/program/index.ts")).href)) as Compile);
  });

  const functionOf = (name: string) => (autograd as unknown as Record<string, (x: Value) => Value>)[name]!;

  test("add the operations that are checked here, and no others", async () => {
    const before = Object.keys(await import("@unroll/autograd"));
    const added = Object.keys(autograd).filter((name) => !before.includes(name));
    expect(added.sort()).toEqual(CASES.map(({ name }) => name).sort());
  });

  test("have no type errors", () => {
    const program = ts.createProgram([join(COPY, "src/index.ts"), join(COPY, "src/program/index.ts")], { ...compilerOptions(), types: [] });
    // By default only what the patches and the generator wrote is checked: that takes 4 s of 10.
    const written = process.env["UNROLL_FULL"] === "1" ? [undefined] : program.getSourceFiles().filter(({ fileName }) => changed(fileName));
    expect(written.length).toBeGreaterThan(0);
    const found = written.flatMap((file) => [...ts.getPreEmitDiagnostics(program, file)]);
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  });

  describe.each(CASES)("$name", ({ name, x, value, gradient, second }) => {
    const near = (got: Value, expected: number | readonly number[]) => {
      expect(got.shape).toEqual(typeof expected === "number" ? [] : [expected.length]);
      Array.from(got.data).forEach((entry, k) => expect(entry).toBeCloseTo([expected].flat()[k] as number, 12));
    };

    test("has its value and its gradient", () => {
      const leaf = autograd.param(x);
      const out = functionOf(name)(leaf);
      near(out, value);
      out.sum().backward();
      near(leaf.grad, gradient);
    });

    test("has its second derivative", () => {
      const squares = (leaf: Value) => functionOf(name)(leaf).square().sum();
      near(autograd.hvp(squares, [x], [autograd.onesLike(x)])[0], second);
      const slope = (leaf: Value) => autograd.grad(squares)(leaf).sum();
      near(autograd.grad(slope)(x), second);
    });

    test("compiled, has its value and its gradient, and a kernel unless it is structural", () => {
      const run = compile((leaf: Value) => [functionOf(name)(leaf), autograd.grad((y: Value) => functionOf(name)(y).sum())(leaf)]);
      const [out, slope] = run(x);
      near(out!, value);
      near(slope!, gradient);
      expect(run.stats().plain.filter((op) => op !== "cumulativeSum")).toEqual([]);
    });

    test("agrees with differences in reverse and in forward mode, and to second order", () => {
      const squares = (leaf: Value) => functionOf(name)(leaf).square().sum();
      expect(inspect.checkGradients(squares, [x], { order: 2 }).message).toMatch(/^all \d+ entries agree/);
    });
  });

  test("a patch that no longer fits is found", () => {
    const patch = { file: "a.ts", before: "one\ntwo", after: "one\nand a half\ntwo" };
    expect(patched("zero\none\ntwo\n", patch)).toBe("zero\none\nand a half\ntwo\n");
    expect(() => patched("zero\none\n", patch)).toThrow("fits nowhere");
    expect(() => patched("one\ntwo\none\ntwo\n", patch)).toThrow("more than one place");
  });
});
