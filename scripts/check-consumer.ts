/**
 * `pnpm check:consumer`: installs the packed tarballs in a fresh folder, as a user would, and takes a gradient through every subpath
 * from strict TypeScript (the packages' declaration files checked too), as an ES module and as CommonJS.
 */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failWith, ROOT, run, runTool } from "./run.js";
import { packAll, subpathsOf, temporaryFolder } from "./tarballs.js";

const COMPILER_OPTIONS = {
  target: "es2022",
  lib: ["es2022"],
  module: "nodenext",
  types: ["node"],
  typeRoots: [join(ROOT, "node_modules/@types")],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
};

const consumer = join(ROOT, "scripts/consumer");
const folder = temporaryFolder("consumer");
const tarballs = packAll(folder);

const source = readFileSync(join(consumer, "use.ts"), "utf8");
const specifiers = tarballs.flatMap((tarball) => subpathsOf(tarball).map((subpath) => join(tarball.name, subpath)));
failWith(
  specifiers
    .filter((specifier) => !source.includes(`"${specifier}"`))
    .map((specifier) => `scripts/consumer/use.ts leaves out ${specifier}`),
);

writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true }));
writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ["*.mts", "*.cts"] }));
for (const name of ["use.mts", "use.cts"]) writeFileSync(join(folder, name), source);
copyFileSync(join(consumer, "mixed.mjs"), join(folder, "mixed.mjs"));

run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...tarballs.map(({ path }) => path)], folder);
runTool("tsc", ["-p", folder], folder);
for (const name of ["use.mjs", "use.cjs", "mixed.mjs"]) console.log(`${name}: ${run("node", [name], folder).trim()}`);
