import { GraphError, InputError } from "../errors.js";
import type { Payload } from "../ops/array.js";
import { isRecording } from "../tape/segments.js";
import { Param, Value } from "../tape/value.js";
import type { InputsOf } from "../transforms/grad.js";
import { leaves, leavesLike, rebuildAll, type ValuesOf, valuesOf } from "../transforms/tree.js";
import { type Inspectable, inspectable } from "./explain.js";
import { outputsOf } from "./interpret.js";
import { copied } from "./memory.js";
import type { Program } from "./program.js";
import { type CompiledOptions, type Entry, SignatureCache, signatureOf, traced } from "./signature.js";

/** A list without as many first entries as another has. */
export type Rest<A extends readonly unknown[], S extends readonly unknown[]> = S extends readonly [unknown, ...infer T]
  ? A extends readonly [unknown, ...infer B]
    ? Rest<B, T>
    : []
  : A;

/** What may be bound: the first arguments of a function that returns a list. */
export type StateOf<S extends readonly unknown[], A extends readonly unknown[], R> = {
  [K in keyof S]: R extends readonly unknown[] ? (K extends keyof A ? InputsOf<A[K]> : never) : never;
};

/** A compiled function whose state stays inside: called with the other arguments, it gives what follows the next state. */
export interface Bound<S extends readonly unknown[], I extends readonly unknown[], O extends readonly unknown[]> extends Inspectable {
  (...inputs: { [K in keyof I]: InputsOf<I[K]> }): { -readonly [K in keyof O]: ValuesOf<O[K]> };
  /** The state as it is now, copied. */
  state(): { -readonly [K in keyof S]: ValuesOf<S[K]> };
  /** Gives the state other values, of the same structure and shapes. Throws InputError or ShapeError where they do not fit. */
  set(...state: { [K in keyof S]: InputsOf<S[K]> }): void;
}

/** Where the state of one signature lies. */
interface Store {
  get(): readonly Payload[];
  set(state: readonly Payload[]): void;
  /** Runs the program; gives the outputs after the next state. */
  advance(inputs: readonly Payload[]): readonly Payload[];
}

function storeFor({ program }: Entry, count: number): Store {
  const { machine, graph } = program;
  if (machine !== null) {
    return {
      get: () => machine.inputs(count),
      set: (state) => machine.setInputs(state, 0),
      advance: (inputs) => machine.advance(inputs, count),
    };
  }
  let kept: readonly Payload[] = [];
  return {
    get: () => kept,
    set: (state) => {
      kept = state;
    },
    advance: (inputs) => {
      const outputs = outputsOf(graph, [...kept, ...inputs]);
      kept = outputs.slice(0, count);
      return outputs.slice(count);
    },
  };
}

/** See Compiled.bind. Programs of its own, since each has the state in its memory. */
export function boundTo(f: (...args: readonly unknown[]) => unknown, initial: readonly unknown[], options: CompiledOptions): unknown {
  if (initial.length === 0) throw new InputError("bind: got no state; give the first arguments of the function, which it returns anew");
  const trees = initial.map((tree) => valuesOf<unknown>("bind", tree));
  const starts = trees.flatMap(leaves);
  const stores = new SignatureCache<{ readonly entry: Entry; readonly store: Store }>(options.name);
  let latest: Program | null = null;
  let state: { get(): readonly Payload[] } = { get: () => payloadsOf(starts) };
  const bound = (...inputs: readonly unknown[]): unknown => {
    const args = [...trees, ...inputs];
    const { values, key } = signatureOf(args);
    const rest = values.slice(starts.length);
    if (isRecording() && rest.some(isOfGraph)) throw notRecorded(options.name);
    const given = options.memory.apart(payloadsOf(rest));
    const { entry, store } = stores.of(key, () => {
      const made = traced(f, args, values, { ...options, kept: starts.length });
      if (made.isOfCall) throw notRecorded(options.name);
      checkNextState(made, trees);
      return { entry: made, store: storeFor(made, starts.length) };
    });
    if (state !== store) store.set(state.get());
    state = store;
    if (latest !== entry.program) latest?.forget();
    latest = entry.program;
    const outputs = store.advance([...given, ...payloadsOf(entry.captured)]);
    return rebuildAll((entry.out as unknown[]).slice(trees.length), valuesFrom(outputs));
  };
  return Object.assign(bound, {
    ...inspectable(options.name, () => latest),
    state: () => rebuildAll(trees, valuesFrom(state.get().map(copied))),
    set: (...given: readonly unknown[]) => {
      if (given.length !== trees.length)
        throw new InputError(`set: the state has ${trees.length} entries, got ${given.length}; give all of them`);
      const next = trees.flatMap((tree, k) => leavesLike("set", `the state ${k}`, given[k], tree));
      const fitting = options.memory.apart(next.map((x, k) => fitted(x, starts[k] as Value)));
      state = { get: () => fitting };
    },
  });
}

/** Whether derivatives could be wanted by it: a param is rather what a call reads. */
function isOfGraph({ origin }: Value): boolean {
  return origin !== null && (!(origin instanceof Param) || origin.isOfCall);
}

function notRecorded(name: string): GraphError {
  return new GraphError(
    `bind: calls of ${name} are not recorded once it is bound, and it is given, or uses, what a graph computes; take the gradient in the function, or detach() that`,
  );
}

function payloadsOf(values: readonly Value[]): Payload[] {
  return values.map((x) => x.payload);
}

function valuesFrom(payloads: readonly Payload[]): Value[] {
  return payloads.map((x) => new Value(null, 0, x));
}

function fitted(x: Value, like: Value): Payload {
  if (x.dtype === like.dtype) return x.payload;
  throw new InputError(`set: the state is ${like.dtype}, got ${x.dtype}; give it with { dtype: "${like.dtype}" }`);
}

/** What the function returns in the place of its state must be able to take it. */
function checkNextState({ out, program }: Entry, trees: readonly unknown[]): void {
  if (!Array.isArray(out) || out.length < trees.length)
    throw new InputError(
      `bind: ${program.name} must return a list that begins with the next state, ${trees.length} ${trees.length === 1 ? "entry" : "entries"}`,
    );
  trees.forEach((tree, k) => {
    const next = leavesLike("bind", `the next state ${k}`, out[k], tree);
    leaves(tree).forEach((x, j) => {
      if (next[j]?.dtype !== x.dtype)
        throw new InputError(
          `bind: the next state ${k} is ${next[j]?.dtype}, the state ${x.dtype}; cast one of them, or give the state in the other dtype`,
        );
    });
  });
}
