import type { Graph } from "../graph.js";
import { cleanUp } from "./cleanUp.js";
import { commonSubexpressions } from "./commonSubexpressions.js";
import { deadCode } from "./deadCode.js";
import { defer } from "./defer.js";
import { hoist } from "./hoist.js";
import { joinSlices } from "./joinSlices.js";
import { mergeLoops } from "./mergeLoops.js";
import type { Pass } from "./pass.js";
import { viewsFirst } from "./viewsFirst.js";

/** The name of what happens as a program is laid out: elementwise operations share kernels. */
export const FUSE = "fuse" as const;

/** In the order in which they run. Later ones leave work for earlier ones, which then run again. */
const ORDER = [
  mergeLoops,
  commonSubexpressions,
  joinSlices,
  deadCode,
  cleanUp,
  hoist,
  cleanUp,
  defer,
  viewsFirst,
  cleanUp,
  commonSubexpressions,
  deadCode,
] as const;

/** What can be switched off. */
export type PassName = (typeof ORDER)[number]["name"] | typeof FUSE;

export const PASSES: readonly Pass<Exclude<PassName, typeof FUSE>>[] = [...new Set(ORDER)];

/** The graph after those passes that `enabled` names (default: all); `onPass` is told of each. */
export function optimized(graph: Graph, enabled?: readonly string[], onPass?: (pass: Pass, before: Graph, after: Graph) => void): Graph {
  let current = graph;
  for (const pass of ORDER) {
    if (enabled?.includes(pass.name) === false) continue;
    const after = pass.run(current);
    onPass?.(pass, current, after);
    current = after;
  }
  return current;
}
