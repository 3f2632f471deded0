import { InputError } from "../errors.js";
import { tracer } from "../ops/tracer.js";
import { applyStructural } from "../tape/apply.js";
import { kindOf } from "../tape/input.js";
import { isRecording } from "../tape/segments.js";
import { type Value } from "../tape/value.js";
import type { InputsOf } from "../transforms/grad.js";
import { rebuild, type ValuesOf, valuesOf } from "../transforms/tree.js";
import { type Bound, boundTo, type Rest } from "./bind.js";
import type { ProgramStats } from "./explain.js";
import { lendKernels } from "./lentProduct.js";
import type { Program } from "./program.js";
import { argumentValues, type Entry, signatureOf, traced } from "./signature.js";
import { built, collect } from "./structure.js";

// Whoever imports compile has the kernels: eager products use them, too.
lendKernels();

export interface CompileOptions {
  /** Shown in messages; default: the function's own name. */
  readonly name?: string;
  /** Outputs are views of the program's memory, which the next call overwrites, instead of copies; default false. */
  readonly reuseOutputs?: boolean;
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
   * Keeps the first arguments, the state of a training loop, in the program's memory: the function returns the next state in their place,
   * then whatever else it gives. The result takes the other arguments and gives the rest; a step is then one call. Its calls are not
   * recorded. Throws InputError where what the function returns does not fit the state.
   */
  bind<S extends readonly unknown[]>(...state: S): Bound<S, Rest<A, S>, R extends readonly unknown[] ? Rest<R, S> : never>;
  /**
   * The program of the last call as text: instructions before and after each pass, the instructions, the steps that run with the time that
   * each took in a run made for this, floating-point operations and memory. Throws InputError before the first call.
   */
  explain(): string;
  /** The program of the last call in figures. Throws InputError before the first call. */
  stats(): ProgramStats;
}

const LARGEST_CACHE = 32;
const MANY_RECOMPILATIONS = 8;

export function compile<A extends readonly unknown[] = [Value], R = Value>(
  f: (...args: A) => R,
  {
    name = f.name === "" ? "compiled function" : f.name,
    wasm = true,
    deterministic = false,
    reuseOutputs = false,
    passes,
  }: CompileOptions = {},
): Compiled<A, R> {
  if (typeof (f as unknown) !== "function") throw new InputError(`compile: expected a function, got ${kindOf(f)}`);
  const options = { name, wasm, deterministic, reuseOutputs, passes };
  const untyped = f as unknown as (...args: readonly unknown[]) => unknown;
  const entries = new Map<string, Entry>();
  let latest: Entry | null = null;
  let made = 0;
  const last = (): Program => {
    const entry = [...entries.values()].at(-1);
    if (entry !== undefined) return entry.program;
    throw new InputError(`compile: ${name} was not called yet, so there is no program; call it once`);
  };
  const compiled = (...args: { [K in keyof A]: InputsOf<A[K]> }): ValuesOf<R> => {
    // Within another traced function it is a part of that.
    if (tracer !== null) return valuesOf<unknown>("compile", untyped(...argumentValues(args))) as ValuesOf<R>;
    const known: Value[] = [];
    if (latest !== null && collect(latest.args, args, known)) return called(latest, known) as ValuesOf<R>;
    const { values, key } = signatureOf(args);
    let entry = entries.get(key);
    entries.delete(key);
    if (entry === undefined) {
      entry = traced(untyped, args, values, options);
      if (++made === MANY_RECOMPILATIONS + 1) warnOfRecompilations(name);
      if (entries.size >= LARGEST_CACHE) entries.delete(entries.keys().next().value as string);
    }
    entries.set(key, entry); // the latest last
    latest = entry;
    return called(entry, values) as ValuesOf<R>;
  };
  return Object.assign(compiled, {
    bind: <S extends readonly unknown[]>(...state: S) => boundTo(untyped, state, options) as never,
    explain: () => last().explain(),
    stats: () => last().stats(),
  });
}

function called({ program, captured, out, result }: Entry, values: readonly Value[]): unknown {
  const operands = captured.length === 0 ? values : [...values, ...captured];
  if (isRecording() && operands.some((x) => x.origin !== null)) return rebuild(out, applyStructural(program.operation, operands, null));
  const results = program.run(operands.map((x) => x.payload));
  return built(result, results, { at: 0 });
}

function warnOfRecompilations(name: string): void {
  const { console } = globalThis as { console?: { warn(text: string): void } };
  console?.warn(
    `compile: ${name} was traced ${MANY_RECOMPILATIONS} times anew for arguments of other shapes, dtypes or structure; pad them to common shapes, or compile a function for each`,
  );
}
