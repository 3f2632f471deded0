import { InputError } from "../errors.js";
import { tracer } from "../ops/tracer.js";
import { applyStructural } from "../tape/apply.js";
import { kindOf } from "../tape/input.js";
import { isRecording } from "../tape/segments.js";
import { type Value } from "../tape/value.js";
import type { InputsOf } from "../transforms/grad.js";
import { rebuild, type ValuesOf, valuesOf } from "../transforms/tree.js";
import { type Bound, boundTo, type Rest, type StateOf } from "./bind.js";
import { type Inspectable, inspectable } from "./explain.js";
import { lendKernels } from "./lentProduct.js";
import { ProgramMemory } from "./memory.js";
import { FUSE, type PassName, PASSES } from "./passes/index.js";
import { argumentValues, type Entry, SignatureCache, signatureOf, traced } from "./signature.js";
import { built, collectAll } from "./structure.js";

// Whoever imports compile has the kernels: eager products use them, too.
lendKernels();

export interface CompileOptions {
  /** Shown in messages; default: the function's own name. */
  readonly name?: string;
  /**
   * Outputs are views of the program's memory, which the next call overwrites, instead of copies; default false. The next call may be given
   * them, and reads them first. Of recorded calls they are copies all the same.
   */
  readonly reuseOutputs?: boolean;
  /** false runs the same program on plain kernels, as it does where WebAssembly is missing or forbidden; default true. */
  readonly wasm?: boolean;
  /**
   * Never a relaxed instruction, whose rounding depends on the processor; default false. Hosts with 128-bit vectors then give the same bits,
   * but for what they compute by their own Math: pow, sin and cos far from 0, operations on plain kernels.
   */
  readonly deterministic?: boolean;
  /** Names of the passes that run, as `explain()` shows them, and "fuse"; for tests and comparisons. Default all. */
  readonly passes?: readonly PassName[];
}

const OPTIONS: readonly (keyof CompileOptions)[] = ["name", "reuseOutputs", "wasm", "deterministic", "passes"];

/**
 * A compiled function: called as the function itself, with numbers, nested arrays and typed arrays wherever it takes Values. Numbers that it
 * returns come out as Values.
 */
export interface Compiled<A extends readonly unknown[], R> extends Inspectable {
  (...args: { [K in keyof A]: InputsOf<A[K]> }): ValuesOf<R>;
  /**
   * Keeps the first arguments, the state of a training loop, in the program's memory: the function returns the next state in their place,
   * then whatever else it gives, in a list. The result takes the other arguments and gives the rest; a step is then one call. Its calls are
   * not recorded: derivatives are taken in the function. Throws InputError where there is no state or it holds something else than numbers;
   * the first call of each signature throws InputError or ShapeError where what the function returns does not fit the state, and any call
   * GraphError where an argument is computed in a graph, whose gradient would be lost.
   *
   * @example
   * import { noGrad, type Value, value, valueAndGrad } from "@unroll/autograd";
   * import { compile } from "@unroll/autograd/compile";
   * import { adam } from "@unroll/autograd/optim";
   * const rule = adam({ learningRate: 0.1 });
   * const loss = (w: Value, x: Value) => w.mul(x).sub(1).square().mean();
   * const step = compile((w: Value, state: ReturnType<typeof rule.init>, x: Value) => {
   *   const [error, slope] = valueAndGrad(loss)(w, x);
   *   return [...rule.update(w, slope, state), error] as const;
   * });
   * const training = step.bind(value(0), rule.init(value(0)));
   * for (let k = 0; k < 300; k++) training([1, 2]);
   * const [w, state] = training.state();
   * console.log(w.item().toFixed(4), state.steps.item()); // 0.6000 300
   * training.set(0, state);
   * console.log(training([1, 2])[0].item(), training.stats().products); // 1 0
   */
  bind<S extends readonly unknown[]>(
    ...state: S & StateOf<S, A, R>
  ): Bound<S, Rest<A, S>, R extends readonly unknown[] ? Rest<R, S> : never>;
}

/**
 * The function f as a program in WebAssembly: with the same arguments it gives what f gives, up to rounding, and its derivatives are f's.
 *
 * f is called once for each signature, to be traced: the structure of its arguments (trees of Values, numbers and arrays of numbers), the
 * shape and dtype of each leaf, and strings, booleans, null and undefined among them. Numbers are no part of it; they are inputs. The 32
 * signatures used last are kept, and a warning names f when it has been traced anew for the eighth time: pad to common shapes. A `scan` is
 * one loop of the program, whatever its length; a JavaScript loop is unrolled.
 *
 * `Param`s that f uses without being given them are inputs, read at each call; for the variable of a `grad` around the call f is traced anew
 * each time, and a warning says so. All else that is not computed from arguments and params is done once, while f is traced, and its result is
 * a constant of the program: `Math.random()`, draws from a random key, printing, other Values. Make such things outside and pass them in; a random key as an argument does not help, draws do.
 *
 * In f, `grad`, `valueAndGrad`, `vjp`, `jvp`, `customOp`, `noGrad` and other compiled functions work as everywhere; compile what computes
 * the gradient, and it is part of the program. A call with something that needs a gradient is recorded as one operation, so that `grad` of
 * a compiled function and `backward()` on its result work, too. `noGrad` around the call records nothing.
 *
 * Throws InputError unless f is a function, or where it is async, for options that there are not, and for arguments or results that hold
 * something else than numbers; GraphError where f needs the elements of what is traced (`.item()`, `.data`, shapes that depend on them:
 * return the value and read it after the call, or use `where`), calls `backward()` (use `grad` in f, or `backward()` on the result), sets a
 * param (return the new value), reads or forgets its `.grad` (pass it), or uses a recorded Value from outside (pass it, or `detach()` it), where a traced Value is used after the
 * trace, and where a program needs more than WebAssembly's 4 GB. What f throws comes through, and nothing is kept of it.
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
  {
    name = f.name === "" ? "compiled function" : f.name,
    wasm = true,
    deterministic = false,
    reuseOutputs = false,
    passes,
    ...others
  }: CompileOptions = {},
): Compiled<A, R> {
  if (typeof (f as unknown) !== "function") throw new InputError(`compile: expected a function, got ${kindOf(f)}`);
  checkNames("option", Object.keys(others), OPTIONS);
  checkNames("pass", passes ?? [], [...PASSES.map((pass) => pass.name), FUSE]);
  const options = { name, wasm, deterministic, reuseOutputs, passes, kept: 0, memory: new ProgramMemory(!reuseOutputs) };
  const untyped = f as unknown as (...args: readonly unknown[]) => unknown;
  const entries = new SignatureCache<Entry>(name);
  let latest: Entry | null = null;
  const compiled = (...args: { [K in keyof A]: InputsOf<A[K]> }): ValuesOf<R> => {
    // Within another traced function it is a part of that.
    if (tracer !== null) return valuesOf<unknown>("compile", untyped(...argumentValues(args))) as ValuesOf<R>;
    const known: Value[] = [];
    if (latest !== null && !latest.isOfCall && collectAll(latest.args, args, known)) return called(latest, known) as ValuesOf<R>;
    const { values, key } = signatureOf(args);
    const entry = entries.of(
      key,
      () => traced(untyped, args, values, options),
      (made) => made.isOfCall,
    );
    if (entry !== latest) latest?.program.forget();
    latest = entry;
    return called(entry, values) as ValuesOf<R>;
  };
  return Object.assign(compiled, {
    bind: <S extends readonly unknown[]>(...state: S) => boundTo(untyped, state, { ...options, memory: new ProgramMemory() }) as never,
    ...inspectable(name, () => latest?.program ?? null),
  });
}

/** Of options as well: plain JavaScript would let a misspelt one pass. */
function checkNames(what: string, given: readonly string[], known: readonly string[]): void {
  const odd = given.find((name) => !known.includes(name));
  if (odd !== undefined) throw new InputError(`compile: there is no ${what} "${odd}"; there are ${known.join(", ")}`);
}

function called({ program, captured, out, result }: Entry, values: readonly Value[]): unknown {
  const operands = captured.length === 0 ? values : [...values, ...captured];
  if (isRecording() && operands.some((x) => x.origin !== null)) {
    const wanted = operands.flatMap((x, k) => (x.origin === null ? [] : [k]));
    return rebuild(out, applyStructural(program.recorded(wanted), program.lasting(operands), null));
  }
  const results = program.run(
    operands.map((x) => x.payload),
    true,
  );
  return built(result, results, { at: 0 });
}
