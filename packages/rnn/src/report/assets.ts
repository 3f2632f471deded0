/** The files that a page carries inside it: its own style and script, and those of uPlot, which draws. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

export interface PageAssets {
  readonly style: string;
  readonly script: string;
}

export async function readAssets(): Promise<PageAssets> {
  const require = createRequire(import.meta.url);
  const [uplotStyle, pageStyle, uplotScript, pageScript] = await Promise.all([
    readFile(require.resolve("uplot/dist/uPlot.min.css"), "utf8"),
    readFile(new URL("./page.css", import.meta.url), "utf8"),
    readFile(require.resolve("uplot/dist/uPlot.iife.min.js"), "utf8"),
    readFile(new URL("./plots.browser.js", import.meta.url), "utf8"),
  ]);
  return { style: `${uplotStyle}\n${pageStyle}`, script: `${uplotScript}\n${pageScript}` };
}
