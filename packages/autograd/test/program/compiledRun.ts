/** The one place that knows how tests compile a function, with which passes, and how they learn what ran. */
import { compile } from "../../src/program/index.js";
import { FUSE, type PassName, PASSES } from "../../src/program/passes/index.js";
import type { Runner } from "../matrix/runners.js";

type Function_<A extends readonly unknown[], R> = (...args: A) => R;

export interface RunOptions {
  /** Names of the passes that run; default: all. */
  readonly passes?: readonly PassName[];
  /** false: on plain kernels; default true. */
  readonly wasm?: boolean;
}

/** What is compared with eager runs: all passes, none, each alone, and all but fuse, which lays kernels out; in WebAssembly and on plain kernels. */
export const OPTION_SETS: readonly (RunOptions & { readonly name: string })[] = [
  { name: "all passes" },
  { name: "all passes, on plain kernels", wasm: false },
  { name: "no pass", passes: [] },
  { name: "no pass, on plain kernels", passes: [], wasm: false },
  ...[...PASSES.map(({ name }) => name), FUSE].map((name) => ({ name: `${name} alone`, passes: [name] })),
  { name: `all passes but ${FUSE}`, passes: PASSES.map(({ name }) => name) },
  ...PASSES.map(({ name }) => ({ name: `${name} alone, on plain kernels`, passes: [name], wasm: false })),
];

/** What ran compiled since the module was loaded. */
export interface Tally {
  /** Calls of compiled functions from outside any trace. */
  calls: number;
  /** Calls of the functions that they were made of: once a signature. */
  traces: number;
  /** Calls of programs that had kernels, fused ones or products, but no operation on plain kernels. */
  emitted: number;
  /** By name, the programs in which an operation ran on its plain kernel. */
  readonly plain: Map<string, number>;
}

export const tally: Tally = { calls: 0, traces: 0, emitted: 0, plain: new Map() };

let depth = 0;

/** compile(f), counted. */
export function compiled<A extends readonly unknown[], R>(f: Function_<A, R>, options: RunOptions = {}): Function_<A, R> {
  const counted = (...args: A): R => {
    tally.traces++;
    depth++;
    try {
      return f(...args);
    } finally {
      depth--;
    }
  };
  const run = compile(counted as never, options);
  return (...args) => {
    // The types say which arguments may be numbers; here they are as the function's own.
    const out = (run as unknown as Function_<A, R>)(...args);
    if (depth > 0) return out;
    tally.calls++;
    const { kernels, products, plain } = run.stats();
    if (kernels + products > 0 && plain.length === 0) tally.emitted++;
    for (const name of new Set(plain)) tally.plain.set(name, (tally.plain.get(name) ?? 0) + 1);
    return out;
  };
}

/** The ways to compile where a derivative is taken. */
export const ofCompiled: Runner = { name: "derivatives of a compiled function", inside: (f) => compiled(f), outside: (f) => f };
export const compiledDerivative: Runner = { name: "a compiled derivative", inside: (f) => f, outside: (f) => compiled(f) };
export const both: Runner = {
  name: "a compiled derivative of a compiled function",
  inside: (f) => compiled(f),
  outside: (f) => compiled(f),
};
export const RUNNERS: readonly Runner[] = [ofCompiled, compiledDerivative, both];
