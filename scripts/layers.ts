import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import ts from "typescript";

/**
 * The layers of each package: a folder, or a file, directly under its src. An arrow means "may import"; what a layer may import, its
 * clients may import too. index.ts stands above all others.
 */
export const LAYERS = {
  "packages/autograd": {
    errors: [],
    dtype: ["errors"],
    shape: ["errors"],
    tree: ["errors", "dtype", "shape"],
    ops: ["errors", "dtype", "shape"],
    tape: ["ops"],
    transforms: ["tape", "tree"],
    optim: ["transforms"],
    inspect: ["transforms"],
    // Its functions return Values, which live on the tape.
    random: ["tape"],
    // Bytes from shapes; knows no operations and no tape.
    wasm: ["errors", "dtype", "shape"],
    program: ["transforms", "wasm"],
  },
  "packages/rnn": {
    toy: [],
    init: [],
    cells: ["init"],
    layers: ["cells"],
    io: ["layers"],
    data: [],
    training: ["layers", "data", "io"],
    generation: ["layers", "io"],
    forecast: ["training"],
    report: ["toy", "forecast"],
    cli: ["report", "io"],
  },
} as const satisfies Record<string, Layers>;

export type Layers = Readonly<Record<string, readonly string[]>>;

interface Import {
  /** The importing file, from the package's src. */
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /** The imported file, from the package's src; undefined for another package. */
  readonly to: string | undefined;
}

/** One line for each import in `<root>/<packagePath>/src` that the layers, or the package's dependencies, do not allow. */
export function layerViolations(root: string, packagePath: string, layers: Layers): string[] {
  const src = join(root, packagePath, "src");
  const imports = importsUnder(src);
  const reachable = closure(layers);
  return [...imports.flatMap((i) => inner(i, reachable) ?? []), ...outer(imports, dependenciesOf(join(root, packagePath)))].map(
    (line) => `${packagePath}/src/${line}`,
  );
}

/** What each layer may import, directly and through others, itself included. */
function closure(layers: Layers): Map<string, Set<string>> {
  const reach = (layer: string): string[] => [layer, ...(layers[layer] ?? []).flatMap(reach)];
  return new Map(Object.keys(layers).map((layer) => [layer, new Set(reach(layer))]));
}

function inner({ from, to, specifier }: Import, reachable: Map<string, Set<string>>): string | undefined {
  if (to === undefined || from === "index.ts") return undefined;
  if (to.startsWith("..")) return `${from} imports "${specifier}", which is outside src`;
  const allowed = reachable.get(layerOf(from));
  if (!allowed) return `${from} is in no known layer: add ${layerOf(from)} to scripts/layers.ts and ARCHITECTURE.md`;
  if (allowed.has(layerOf(to))) return undefined;
  return `${from} imports "${specifier}", but ${layerOf(from)} may import only ${[...allowed].join(", ")}`;
}

const layerOf = (file: string): string => file.split("/")[0]!.replace(/\.ts$/, "");

/** Imports of other packages, in what index.ts and the other entries reach, that are not declared as dependencies. */
function outer(imports: readonly Import[], dependencies: ReadonlySet<string>): string[] {
  const shipped = new Set<string>();
  const visit = (file: string): void => {
    if (shipped.has(file)) return;
    shipped.add(file);
    for (const { from, to } of imports) if (from === file && to !== undefined) visit(to);
  };
  for (const { from } of imports) if (/^([^/]+\/)?index\.ts$/.test(from) && !from.startsWith("cli/")) visit(from);
  return imports
    .filter(({ from, to, specifier }) => shipped.has(from) && to === undefined && !dependencies.has(packageOf(specifier)))
    .map(({ from, specifier }) => `${from} imports "${specifier}", which is shipped but not in "dependencies"`);
}

const packageOf = (specifier: string): string => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

function dependenciesOf(folder: string): Set<string> {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { dependencies?: Record<string, string> };
  return new Set(Object.keys(dependencies));
}

function importsUnder(src: string): Import[] {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return files.flatMap((name) => {
    const path = join(src, name);
    const { importedFiles } = ts.preProcessFile(readFileSync(path, "utf8"), true, true);
    return importedFiles.map(({ fileName: specifier }) => ({ from: slashes(name), specifier, to: resolve(path, specifier, src) }));
  });
}

function resolve(importer: string, specifier: string, src: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const target = join(dirname(importer), specifier);
  const source = target.replace(/\.js$/, ".ts");
  return slashes(relative(src, existsSync(source) ? source : target));
}

const slashes = (path: string): string => path.split(sep).join("/");
