import { InputError } from "../errors.js";
import { type Operand, toValue } from "../tape/apply.js";
import { kindOf } from "../tape/input.js";
import { type Param, Value } from "../tape/value.js";
import { synchronous } from "../transforms/record.js";
import { isLeaf, leaves, valuesOf } from "../transforms/tree.js";
import { mapTree } from "../tree.js";
import { Program, type ProgramOptions } from "./program.js";
import { RecentlyUsed } from "./recentlyUsed.js";
import { isPlain, type Structure, structureOf } from "./structure.js";
import { Trace } from "./trace.js";

/** One signature: what was traced for arguments of one structure, shapes and dtypes. */
export interface Entry {
  readonly program: Program;
  /** Params that the function uses without being given them: read at each call, after the arguments. */
  readonly captured: readonly Param[];
  /** Whether one of them is the variable of a transform around the call: the next call has another, and a trace of its own. */
  readonly isOfCall: boolean;
  /** The arguments: a call is compared with those of the last one first. */
  readonly args: readonly Structure[];
  /** What the function returns, as a tree of traced Values, and how that is built. */
  readonly out: unknown;
  readonly result: Structure;
}

export interface CompiledOptions extends ProgramOptions {
  readonly name: string;
}

/** Numbers in any form as the Values that a function takes. */
export function argumentValues(args: readonly unknown[]): unknown[] {
  return eachArgument(args, (leaf) => (isLeaf(leaf) ? toValue("compile", leaf as Operand) : leaf));
}

/** The arguments' leaves, and what a program is made for: their structure, shapes and dtypes, and entries that are no numbers. */
export function signatureOf(args: readonly unknown[]): { values: Value[]; key: string } {
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
  if (typeof x === "object" && isPlain(x)) {
    const entries = Object.entries(x).map(([name, entry]) => `${JSON.stringify(name)}:${keyOf(entry, `${path}.${name}`, values)}`);
    return `{${entries.join()}}`;
  }
  throw new InputError(`compile: the argument ${path} is ${kindOf(x)}; arguments are trees of Values, numbers and arrays of numbers`);
}

/** The arguments with each leaf replaced; a list of arguments is not itself a nest of numbers. */
function eachArgument(args: readonly unknown[], f: (leaf: unknown, path: string) => unknown): unknown[] {
  return args.map((arg, k) => (arg === undefined || arg === null ? f(arg, `[${k}]`) : mapTree(arg, isLeaf, f, `[${k}]`)));
}

/** Calls a function once, on abstract arguments, and makes a program of what it did. */
export function traced(
  f: (...args: readonly unknown[]) => unknown,
  args: readonly unknown[],
  values: readonly Value[],
  options: CompiledOptions,
): Entry {
  const trace = new Trace(null, options.name);
  const inputs = values.map((x) => trace.input(x.type));
  let next = 0;
  const abstract = eachArgument(args, (leaf) => (isLeaf(leaf) ? new Value(null, 0, inputs[next++] ?? 0) : leaf));
  const { out, results } = trace.during(() => {
    const tree = valuesOf<unknown>("compile", synchronous("compile", f(...abstract)), `what ${options.name} returned`);
    return { out: tree, results: leaves(tree).map((x) => trace.lift(x).payload) };
  });
  const ids = results.map((x) => trace.idOf(x));
  const graph = trace.builder.build(
    [...inputs, ...trace.captured].map(({ id }) => id),
    ids,
  );
  const program = new Program(graph, options.name, options);
  // Second derivatives are rare: what they would need of a call is kept only once one was taken.
  if (trace.differentiates) program.expect([]);
  const captured = trace.captured.map(({ value }) => value as Param);
  return { program, captured, isOfCall: trace.isOfCall, args: args.map(structureOf), out, result: structureOf(out) };
}

const LARGEST_CACHE = 32;
const MANY_RECOMPILATIONS = 8;

/** What was made for each signature of one function; those that were used last are kept. */
export class SignatureCache<T> {
  private readonly name: string;
  private readonly kept = new RecentlyUsed<T>(LARGEST_CACHE);
  private made = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** What a signature has, or is given now; nothing is kept of what throws, or serves one call alone. */
  of(key: string, make: () => T, isOfCall: (made: T) => boolean = () => false): T {
    const found = this.kept.get(key);
    if (found !== undefined) return found;
    const made = make();
    const once = isOfCall(made);
    if (++this.made === MANY_RECOMPILATIONS + 1) warnOfRecompilations(this.name, once);
    if (!once) this.kept.set(key, made);
    return made;
  }
}

function warnOfRecompilations(name: string, isOfCall: boolean): void {
  const { console } = globalThis as { console?: { warn(text: string): void } };
  const why = isOfCall
    ? "because it uses the variable of a grad, vjp or jvp around its call; pass it as an argument"
    : "for arguments of other shapes, dtypes or structure; pad them to common shapes, or compile a function for each";
  console?.warn(`compile: ${name} was traced ${MANY_RECOMPILATIONS} times anew ${why}`);
}
