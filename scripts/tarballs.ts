import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failWith, ROOT, run } from "./run.js";

export interface Tarball {
  readonly name: string;
  readonly path: string;
  readonly files: readonly string[];
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** A folder for this run alone; it goes away with the process. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `unroll-${name}-`));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The published packages as they would go to the registry (`npm pack` would ignore publishConfig.exports). */
export function packAll(into: string): Tarball[] {
  return ["autograd", "rnn"].map((name) => packOne(join(ROOT, "packages", name), into));
}

function packOne(folder: string, into: string): Tarball {
  if (!existsSync(join(folder, "dist/index.js"))) failWith([`${folder} is not built: run \`pnpm build\` first`]);
  const report = run("pnpm", ["pack", "--json", "--pack-destination", into], folder);
  const { name, filename } = JSON.parse(report.slice(report.indexOf("{"))) as { name: string; filename: string };
  const files = run("tar", ["-tzf", filename]).trim().split("\n");
  const manifest = JSON.parse(run("tar", ["-xzOf", filename, "package/package.json"])) as Record<string, unknown>;
  return { name, path: filename, files: files.map((file) => file.replace(/^package\//, "")), manifest };
}

/** The subpaths of the package that hold code: ".", "./optim", … */
export function subpathsOf(tarball: Tarball): string[] {
  return Object.keys(tarball.manifest["exports"] as object).filter((subpath) => !subpath.endsWith(".json"));
}

/** The exports that the workspace itself uses, from the package.json in the repository. */
export function workspaceExports(tarball: Tarball): object {
  const path = join(ROOT, "packages", tarball.name.replace("@unroll/", ""), "package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { exports: object }).exports;
}
