import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { transform } from "esbuild";
import type { Options } from "tsup";

type Plugin = NonNullable<Options["plugins"]>[number];

/**
 * Writes beside every built ES module `x.js` a CommonJS module `x.cjs` of the same code, chunk for chunk, so that the
 * subpaths of a package share one copy of its classes in CommonJS as they do in ESM. (tsup's own `splitting` for
 * CommonJS goes through a compiler that turns `?.`, `??` and class fields into calls of slow helper functions.)
 */
export function commonJsTwins(): Plugin {
  return {
    name: "commonjs-twins",
    async buildEnd({ writtenFiles }) {
      const modules = writtenFiles.map((file) => file.name).filter((name) => name.endsWith(".js"));
      await Promise.all(modules.map(writeTwin));
    },
  };
}

async function writeTwin(module: string): Promise<void> {
  const twin = module.replace(/\.js$/, ".cjs");
  const { code, map } = await transform(await withInlineMap(module), {
    format: "cjs",
    platform: "node",
    target: "es2022",
    sourcemap: "external",
    sourcefile: basename(module),
  });
  const linked = code.replaceAll(/require\("(\.{1,2}\/[^"]+)\.js"\)/g, 'require("$1.cjs")');
  await writeFile(twin, `"use strict";\n${linked}//# sourceMappingURL=${basename(twin)}.map\n`);
  await writeFile(`${twin}.map`, shiftedOneLine(map));
}

/** The module's text with its source map inside, so that the twin's map leads to the TypeScript. */
async function withInlineMap(module: string): Promise<string> {
  const [code, map] = await Promise.all([readFile(module, "utf8"), readFile(`${module}.map`)]);
  const url = `data:application/json;base64,${map.toString("base64")}`;
  return code.replace(/^\/\/# sourceMappingURL=.*$/m, `//# sourceMappingURL=${url}`);
}

/** The map of the same code below one more line, the "use strict" that an ES module does without. */
function shiftedOneLine(map: string): string {
  const parsed = JSON.parse(map) as { mappings: string };
  return JSON.stringify({ ...parsed, mappings: `;${parsed.mappings}` });
}
