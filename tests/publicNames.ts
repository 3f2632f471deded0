import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The options that all code of the workspace is checked with, for modules that run in Node. */
export function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.base.json"), (path) => ts.sys.readFile(path)) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  return { ...options, moduleDetection: ts.ModuleDetectionKind.Force, types: ["node"] };
}

export interface PublicName {
  readonly name: string;
  /** What it is imported from. */
  readonly entry: string;
  readonly isType: boolean;
  readonly docstring: string;
}

/** What the entries of the published packages export, in the order of their package.json. */
export function publicNames(): PublicName[] {
  const entries = ["packages/autograd", "packages/rnn"].flatMap(entriesOf);
  const program = ts.createProgram(
    entries.map(({ path }) => path),
    compilerOptions(),
  );
  const checker = program.getTypeChecker();
  return entries.flatMap(({ entry, path }) => {
    const source = program.getSourceFile(path);
    const module = source && checker.getSymbolAtLocation(source);
    return (module ? checker.getExportsOfModule(module) : []).map((exported) => publicName(exported, entry, checker));
  });
}

function publicName(exported: ts.Symbol, entry: string, checker: ts.TypeChecker): PublicName {
  const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  return {
    name: exported.name,
    entry,
    isType: (target.flags & ts.SymbolFlags.Value) === 0,
    docstring: ts.displayPartsToString(target.getDocumentationComment(checker)),
  };
}

interface Manifest {
  name: string;
  exports: Record<string, { source?: string }>;
}

function entriesOf(folder: string): { entry: string; path: string }[] {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as Manifest;
  return Object.entries(exports).flatMap(([subpath, { source }]) =>
    source === undefined ? [] : { entry: `${name}${subpath.slice(1)}`, path: join(ROOT, folder, source) },
  );
}
