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
  /**
   * false runs the same program on plain kernels, as it does where there is no WebAssembly; default true. A page whose
   * Content-Security-Policy forbids WebAssembly (script-src without 'wasm-unsafe-eval') needs false: otherwise the first call throws what
   * the browser throws.
   */
  readonly wasm?: boolean;
  /**
   * Never a relaxed instruction, whose rounding depends on the processor; default false. Hosts with 128-bit vectors then give the same bits,
   * but for what they compute by their own Math: pow, sin and cos far from 0, operations on plain kernels.
   */
  readonly deterministic?: boolean;
  /** Names of the passes that run, as `explain()` shows them, and "fuse"; for tests and comparisons. Default all; unknown names are ignored. */
  readonly passes?: readonly string[];
}

/**
 * A compiled function: called as the function itself, with numbers, nested arrays and typed arrays wherever it takes Values. Numbers that it
 * returns come out as Values.
 */
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

/**
 * The function f as a program in WebAssembly: with the same arguments it gives what f gives, up to rounding, and its derivatives are f's.
 *
 * f is called once for each signature, to be traced: the structure of its arguments (trees of Values, numbers and arrays of numbers), the
 * shape and dtype of each leaf, and strings, booleans, null and undefined among them. Numbers are no part of it; they are inputs. The 32
 * signatures used last are kept, and a warning names f when it has been traced anew for the eighth time: pad to common shapes. A `scan` is
 * one loop of the program, whatever its length; a JavaScript loop is unrolled.
 *
 * `Param`s that f uses without being given them are inputs, read at each call. All else that is not computed from arguments and params is
 * done once, while f is traced, and its result is a constant of the program: `Math.random()`, draws from a random key, printing,
 * other Values. Make such things outside and pass them in; a random key as an argument does not help, draws do.
 *
 * In f, `grad`, `valueAndGrad`, `vjp`, `jvp`, `customOp`, `noGrad` and other compiled functions work as everywhere; compile what computes
 * the gradient, and it is part of the program. A call with something that needs a gradient is recorded as one operation, so that `grad` of
 * a compiled function and `backward()` on its result work, too. `noGrad` around the call records nothing.
 *
 * Throws InputError unless f is a function, or where it is async, and for arguments or results that hold something else than numbers;
 * GraphError where f needs the elements of what is traced (`.item()`, `.data`, shapes that depend on them: return the value and read it
 * after the call, or use `where`), calls `backward()` (use `grad` in f, or `backward()` on the result), sets a param (return the new value),
 * or uses a recorded Value from outside (pass it, or `detach()` it), where a traced Value is used after the trace, and where a program
 * needs more than WebAssembly's 4 GB. What f throws comes through, and nothing is kept of it.
 *
 * @example
 * import { param, type Value, valueAndGrad } from "@unroll/autograd";
 * import { compile } from "@unroll/autograd/compile";
 * const b = param(1);
 * const loss = (w: Value, x: Value) => w.mul(x).add(b).square().mean();
 * const step = compile((w: Value, x: Value) => valueAndGrad(loss)(w, x));
 * const [error, slope] = step(2, [1, -1]);
 * console.log(error.item(), slope.item()); // 5 4
 * b.set(0);
 * console.log(step(2, [1, -1])[0].item()); // 4
 */
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
