/** `pnpm check:package`: the packed tarballs hold what they should, and resolve and type-check for every kind of importer. */
import { runTool, failWith } from "./run.js";
import { packAll, type Tarball, temporaryFolder, workspaceExports } from "./tarballs.js";

const ALLOWED = /^(dist\/.+\.(js|cjs|d\.ts|d\.cts|map)|package\.json|LICENSE|README\.md|CHANGELOG\.md)$/;

/** What is wrong with the contents of a tarball. */
function problemsOf(tarball: Tarball): string[] {
  const { name, files, manifest } = tarball;
  const text = JSON.stringify(manifest);
  const unwanted = files.filter((file) => !ALLOWED.test(file));
  const missing = ["LICENSE", "README.md"].filter((file) => !files.includes(file));
  const same = JSON.stringify(withoutSource(workspaceExports(tarball))) === JSON.stringify(manifest["exports"]);
  return [
    ...unwanted.map((file) => `${name}: ${file} does not belong in the tarball`),
    ...missing.map((file) => `${name}: ${file} is missing from the tarball`),
    ...(text.includes('"source"') ? [`${name}: the "source" condition of the workspace leaks into the tarball`] : []),
    ...(text.includes("workspace:") ? [`${name}: a "workspace:" version leaks into the tarball`] : []),
    ...(same ? [] : [`${name}: publishConfig.exports differs from exports without "source"`]),
  ];
}

function withoutSource(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== "source");
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutSource(inner)]));
}

const tarballs = packAll(temporaryFolder("pack"));
failWith(tarballs.flatMap(problemsOf));
for (const { name, path, files } of tarballs) {
  console.log(runTool("publint", ["run", path, "--strict"]).trim());
  console.log(runTool("attw", ["--profile", "node16", path]).trim());
  console.log(`${name}: ${files.length} files, as they should be`);
}
