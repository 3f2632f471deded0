/** What of the README and of docs/ is written by scripts. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../run.js";
import { block, withBlock } from "./blocks.js";
import { demoForecast, forecastPicture, forecastSection } from "./forecast.js";
import { graphPicture } from "./graph.js";
import { type BenchResults, speedSection } from "./speed.js";

export interface Part {
  readonly what: string;
  readonly current: () => string;
  readonly due: () => string;
  readonly write: (text: string) => void;
}

const at = (path: string): string => join(ROOT, path);
const read = (path: string): string => (existsSync(at(path)) ? readFileSync(at(path), "utf8") : "");

function picture(path: string, due: () => string): Part {
  return { what: path, due, current: () => read(path), write: (text) => writeFileSync(at(path), text) };
}

function readmeBlock(name: string, due: () => string): Part {
  const write = (text: string) => writeFileSync(at("README.md"), withBlock(read("README.md"), name, text));
  return { what: `block "${name}" of README.md`, due, current: () => block(read("README.md"), name), write };
}

/** What `pnpm --filter bench start` wrote last; null before its first run. */
function benchResults(name: string): BenchResults | null {
  const text = read(`bench/results/${name}.json`);
  return text === "" ? null : (JSON.parse(text) as BenchResults);
}

/** What is made in no time. */
export const PARTS: readonly Part[] = [
  picture("docs/graph.svg", graphPicture),
  readmeBlock("speed", () => speedSection(benchResults("latest"), benchResults("latest-node24"))),
];

/** What takes a training run. */
export async function forecastParts(): Promise<Part[]> {
  const result = await demoForecast();
  return [picture("docs/forecast.svg", () => forecastPicture(result)), readmeBlock("forecast", () => forecastSection(result))];
}
