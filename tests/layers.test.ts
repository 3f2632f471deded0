import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { LAYERS, layerViolations } from "../scripts/layers.js";
import { ROOT } from "./publicNames.js";

const folder = mkdtempSync(join(tmpdir(), "unroll-layers-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The violations of a package made of these files, with the layers base <- middle <- top. */
function violationsOf(name: string, files: Record<string, string>): string[] {
  const all = { "package.json": `{ "dependencies": { "allowed": "1" } }`, "src/base.ts": "export const b = 1;", ...files };
  for (const [path, text] of Object.entries(all)) {
    const target = join(folder, name, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  return layerViolations(folder, name, { base: [], middle: ["base"], top: ["middle"], other: [] });
}

test.for(Object.entries(LAYERS))("every import of %s follows the layers", ([path, layers]) => {
  expect(layerViolations(ROOT, path, layers)).toEqual([]);
});

test("a layer imports those below it, directly and through others", () => {
  const files = {
    "src/middle/a.ts": `import { b } from "../base.js";`,
    "src/top/a.ts": `import { b } from "../base.js"; export * from "../middle/a.js";`,
  };
  expect(violationsOf("downwards", files)).toEqual([]);
});

test.for([
  ["an import", `import { t } from "../top/a.js";`],
  ["a type import", `import type { T } from "../top/a.js";`],
  ["an import type in an expression", `type T = import("../top/a.js").T;`],
  ["a re-export", `export * from "../top/a.js";`],
  ["a dynamic import", `void import("../top/a.js");`],
])("%s upwards is found", ([kind, text]) => {
  const found = violationsOf(kind!.replaceAll(" ", "-"), { "src/middle/a.ts": text!, "src/top/a.ts": "export {};" });
  expect(found).toEqual([expect.stringContaining(`middle/a.ts imports "../top/a.js", but middle may import only middle, base`)]);
});

test("an import from a layer aside is found", () => {
  expect(violationsOf("aside", { "src/top/a.ts": `import "../other/a.js";`, "src/other/a.ts": "" })).toHaveLength(1);
});

test("a folder without a place in the layers is found", () => {
  const found = violationsOf("new-folder", { "src/utils/a.ts": `import "../base.js";` });
  expect(found).toEqual([expect.stringContaining("in no known layer: add utils")]);
});

test("what an entry reaches may import declared dependencies only", () => {
  const found = violationsOf("shipped", {
    "src/index.ts": `export * from "./top/a.js";`,
    "src/top/a.ts": `import "allowed/sub"; import "node:fs"; import "@scope/dev/sub";`,
    "src/other/demo.ts": `import "node:fs";`,
  });
  expect(found).toEqual([
    expect.stringContaining(`imports "node:fs", which is shipped`),
    expect.stringContaining(`imports "@scope/dev/sub"`),
  ]);
});
