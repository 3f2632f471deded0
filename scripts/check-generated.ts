/** `pnpm check:generated`: the committed *.generated.ts files are what `pnpm generate` writes. It works on a copy and changes nothing. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { failWith, ROOT, run } from "./run.js";
import { temporaryFolder } from "./tarballs.js";

const PACKAGE = "packages/autograd";

function generatedFiles(folder: string): string[] {
  const names = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".generated.ts")).sort();
}

const committed = join(ROOT, PACKAGE);
const copy = join(temporaryFolder("generated"), PACKAGE);
for (const part of ["package.json", "src", "scripts"]) cpSync(join(committed, part), join(copy, part), { recursive: true });
for (const part of ["package.json", "pnpm-workspace.yaml", "biome.json", ".gitignore"]) cpSync(join(ROOT, part), join(copy, "../..", part));
symlinkSync(join(ROOT, "node_modules"), join(copy, "../../node_modules"));
// The generator must be able to start from nothing.
for (const name of generatedFiles(copy)) rmSync(join(copy, "src", name));

const { scripts } = JSON.parse(readFileSync(join(committed, "package.json"), "utf8")) as { scripts: { generate: string } };
process.env["PATH"] = `${ROOT}node_modules/.bin:${process.env["PATH"]}`;
run("sh", ["-c", scripts.generate], copy);

const read = (folder: string, name: string): string | undefined => {
  const path = join(folder, "src", name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
};
const names = [...new Set([...generatedFiles(committed), ...generatedFiles(copy)])];
const stale = names.filter((name) => read(committed, name) !== read(copy, name));
failWith(stale.map((name) => `${PACKAGE}/src/${name} is not what its generator writes: run \`pnpm generate\` and commit`));
if (names.length === 0) failWith(["there are no generated files to check"]);
console.log(`${names.length} generated files are up to date`);
