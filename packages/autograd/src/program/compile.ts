import { InputError } from "../errors.js";
import { tracer } from "../ops/tracer.js";
import { applyStructural, type Operand, toValue } from "../tape/apply.js";
import { kindOf } from "../tape/input.js";
import { isRecording } from "../tape/segments.js";
import { type Param, Value } from "../tape/value.js";
import type { InputsOf } from "../transforms/grad.js";
import { synchronous } from "../transforms/record.js";
import { isLeaf, leaves, rebuild, type ValuesOf, valuesOf } from "../transforms/tree.js";
import { mapTree } from "../tree.js";
import type { ProgramStats } from "./explain.js";
import { operationOf, Program, type ProgramOptions } from "./program.js";
import { Trace } from "./trace.js";

export interface CompileOptions {
  /** Shown in messages; default: the function's own name. */
  readonly name?: string;
  /** false runs the same program on plain kernels, as it does where there is no WebAssembly; default true. */
  readonly wasm?: boolean;
  /** Never a relaxed instruction, whose rounding depends on the processor; default false. */
  readonly deterministic?: boolean;
  /** Names of the passes that run, for tests and comparisons; default all. */
  readonly passes?: readonly string[];
}

/** A compiled function: called as the function itself. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: { [K in keyof A]: InputsOf<A[K]> }): ValuesOf<R>;
  /**
   * The program of the last call as text: instructions before and after each pass, the instructions, the steps that run with the time that
   * each took in a run made for this, floating-point operations and memory. Throws InputError before the first call.
   */
  explain(): string;
  /** The program of the last call in figures. Throws InputError before the first call. */
  stats(): ProgramStats;
}

/** One signature: what was traced for arguments of one structure, shapes and dtypes. */
interface Entry {
  readonly program: Program;
  readonly operation: ReturnType<typeof operationOf>;
  /** Params that the function uses without being given them: read at each call. */
  readonly captured: readonly Param[];
  readonly out: unknown;
}

const LARGEST_CACHE = 32;
const MANY_RECOMPILATIONS = 8;

export function compile<A extends readonly unknown[] = [Value], R = Value>(
  f: (...args: A) => R,
  { name = f.name === "" ? "compiled function" : f.name, wasm = true, deterministic = false, passes }: CompileOptions = {},
): Compiled<A, R> {
  if (typeof (f as unknown) !== "function") throw new InputError(`compile: expected a function, got ${kindOf(f)}`);
  const entries = new Map<string, Entry>();
  let made = 0;
  const last = (): Program => {
    const entry = [...entries.values()].at(-1);
    if (entry !== undefined) return entry.program;
    throw new InputError(`compile: ${name} was not called yet, so there is no program; call it once`);
  };
  const compiled = (...args: { [K in keyof A]: InputsOf<A[K]> }): ValuesOf<R> => {
    // Within another traced function it is a part of that.
    if (tracer !== null) return valuesOf<unknown>("compile", f(...(argumentValues(args) as unknown as A))) as ValuesOf<R>;
    const { values, key } = signatureOf(args);
    let entry = entries.get(key);
    entries.delete(key);
    if (entry === undefined) {
      entry = traced(name, { wasm, deterministic, passes }, f as (...args: readonly unknown[]) => unknown, args, values);
      if (++made === MANY_RECOMPILATIONS + 1) warnOfRecompilations(name);
      if (entries.size >= LARGEST_CACHE) entries.delete(entries.keys().next().value as string);
    }
    entries.set(key, entry); // the latest last
    return called(entry, values) as ValuesOf<R>;
  };
  return Object.assign(compiled, { explain: () => last().explain(), stats: () => last().stats() });
}

/** Numbers in any form as the Values that a function takes. */
function argumentValues(args: readonly unknown[]): unknown[] {
  return eachArgument(args, (leaf) => (isLeaf(leaf) ? toValue("compile", leaf as Operand) : leaf));
}

function called({ program, operation, captured, out }: Entry, values: readonly Value[]): unknown {
  const operands = captured.length === 0 ? values : [...values, ...captured];
  const recorded = isRecording() && operands.some((x) => x.origin !== null);
  const results = recorded
    ? applyStructural(operation, operands, null)
    : program.run(operands.map((x) => x.payload)).map((x) => new Value(null, 0, x));
  return rebuild(out, results);
}

/** The arguments' leaves, and what a program is made for: their structure, shapes and dtypes, and entries that are no numbers. */
function signatureOf(args: readonly unknown[]): { values: Value[]; key: string } {
  const values: Value[] = [];
  const key = args.map((arg, k) => keyOf(arg, `[${k}]`, values)).join();
  return { values, key };
}

/** Of one argument, or a part of it; its leaves are added to `values`. Names are quoted, so that none reads like structure. */
function keyOf(x: unknown, path: string, values: Value[]): string {
  if (isLeaf(x)) {
    const leaf = toValue("compile", x as Operand);
    values.push(leaf);
    return `${leaf.dtype}[${leaf.shape.join()}]`;
  }
  if (typeof x === "string" || typeof x === "boolean") return JSON.stringify(x);
  if (x === undefined || x === null) return String(x);
  if (Array.isArray(x)) return `[${x.map((entry, k) => keyOf(entry, `${path}[${k}]`, values)).join()}]`;
  if (typeof x === "object") {
    const entries = Object.entries(x).map(([name, entry]) => `${JSON.stringify(name)}:${keyOf(entry, `${path}.${name}`, values)}`);
    return `{${entries.join()}}`;
  }
  throw new InputError(`compile: the argument ${path} is ${kindOf(x)}; arguments are trees of Values, numbers and arrays of numbers`);
}

/** The arguments with each leaf replaced; a list of arguments is not itself a nest of numbers. */
function eachArgument(args: readonly unknown[], f: (leaf: unknown, path: string) => unknown): unknown[] {
  return args.map((arg, k) => (arg === undefined || arg === null ? f(arg, `[${k}]`) : mapTree(arg, isLeaf, f, `[${k}]`)));
}

function traced(
  name: string,
  options: ProgramOptions,
  f: (...args: readonly unknown[]) => unknown,
  args: readonly unknown[],
  values: readonly Value[],
): Entry {
  const trace = new Trace(null);
  const inputs = values.map((x) => trace.input(x.type));
  let next = 0;
  const abstract = eachArgument(args, (leaf) => (isLeaf(leaf) ? new Value(null, 0, inputs[next++] ?? 0) : leaf));
  const { out, results } = trace.during(() => {
    const tree = valuesOf<unknown>("compile", synchronous("compile", f(...abstract)));
    return { out: tree, results: leaves(tree).map((x) => trace.lift(x).payload) };
  });
  const ids = results.map((x) => trace.idOf(x));
  const graph = trace.builder.build(
    [...inputs, ...trace.captured].map(({ id }) => id),
    ids,
  );
  const program = new Program(graph, name, options);
  return { program, operation: operationOf(program), captured: trace.captured.map(({ value }) => value as Param), out };
}

function warnOfRecompilations(name: string): void {
  const { console } = globalThis as { console?: { warn(text: string): void } };
  console?.warn(
    `compile: ${name} was traced ${MANY_RECOMPILATIONS} times anew for arguments of other shapes, dtypes or structure; pad them to common shapes, or compile a function for each`,
  );
}
