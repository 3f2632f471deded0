import { isFloating } from "../dtype.js";
import { GraphError, InputError } from "../errors.js";
import { filledPayload } from "../ops/array.js";
import { zerosOf } from "../ops/raw.js";
import { tracer } from "../ops/tracer.js";
import { formatShape } from "../shape.js";
import { NumericPass } from "../tape/numericPass.js";
import { type Floor, floorHere } from "../tape/pass.js";
import { RecordedPass } from "../tape/recordedPass.js";
import { kindOf } from "../tape/input.js";
import { isRecording, setRecording } from "../tape/segments.js";
import { identity } from "../tape/scalar.generated.js";
import { Param, Value } from "../tape/value.js";
import { leaves, rebuildAll, valuesOf } from "./tree.js";

/** Runs f with recording on or off, restoring the mode whatever happens. Throws InputError where f is async. */
export function inMode<R>(op: string, recording: boolean, f: () => R): R {
  const before = setRecording(recording);
  try {
    return synchronous(op, f());
  } finally {
    setRecording(before);
  }
}

/** What an async function records after its first await would be lost, or land in somebody else's mode. */
export function synchronous<R>(op: string, result: R): R {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== "function") return result;
  (result as unknown as Promise<unknown>).then(undefined, () => {}); // its rejection is not another error
  throw new InputError(`${op}: the function is async; await what it needs first, and pass one that computes at once`);
}

/** A function's call, recorded from its inputs on. */
export interface Recorded<R> {
  readonly out: R;
  /** The arguments of \`argnums\`, as Values. */
  readonly trees: readonly unknown[];
  /** What derivatives are taken with respect to: fresh leaves, or nodes that lead on to the caller's graph. */
  readonly inputs: readonly Value[];
  /** Whether an input leads on to a graph of the caller, so that derivatives must be recorded, too. */
  readonly connected: boolean;
  readonly floor: Floor;
  /** Whether the caller records. */
  readonly recording: boolean;
}

/** Calls f on its arguments, those of `argnums` replaced by inputs of which derivatives are wanted. */
export function record<R>(op: string, f: (...args: never[]) => R, args: readonly unknown[], argnums: readonly number[]): Recorded<R> {
  if (typeof f !== "function") throw new InputError(`${op}: expected a function to differentiate, got ${kindOf(f)}`);
  if (new Set(argnums).size < argnums.length) throw new InputError(`${op}: argnums ${formatShape(argnums)} names an argument twice`);
  const recording = isRecording();
  const trees = argnums.map((k) => {
    if (k in args) return valuesOf(op, args[k]);
    throw new InputError(`${op}: there is no argument ${k}; the function was called with ${args.length}`);
  });
  const given = trees.flatMap(leaves);
  const connected = recording && given.some((x) => x.requiresGrad);
  return inMode(op, true, () => {
    const inputs = given.map((x) => (recording && x.requiresGrad ? identity(x) : freshLeaf(x)));
    const floor = floorHere();
    const replaced = rebuildAll(trees, inputs);
    const call = args.map((arg, k) => (argnums.includes(k) ? replaced[argnums.indexOf(k)] : arg));
    const out = synchronous(op, f(...(call as never[])));
    return { out, trees, inputs, connected, floor, recording };
  });
}

/** Integers are inputs like others; their gradient is zero, since nothing records what they do. */
function freshLeaf(x: Value): Value {
  // While a function is traced, a param stands for the value that it has at each call.
  const now = tracer === null ? x : tracer.lift(x);
  return isFloating(x.dtype) ? new Param(now.payload, "", tracer === null) : now;
}

/** What a scalar function returned, as a Value. */
export function scalarOf(op: string, out: unknown): Value {
  if (typeof out === "number") return new Value(null, 0, out);
  if (!(out instanceof Value))
    throw new GraphError(`${op}: the function must return a scalar Value, got ${kindOf(out)}; is a return missing?`);
  if (out.size === 1) return out;
  throw new GraphError(
    `${op}: the function must return a scalar, got shape ${formatShape(out.shape)}; reduce it to a scalar (sum, mean), or use vjp`,
  );
}

export function onesFor(x: Value): Value {
  return new Value(null, 0, filledPayload(x.type, 1));
}

export interface Cotangents {
  /** One an input, zeros where nothing came back. */
  readonly cotangents: Value[];
  /** Whether they are recorded, because something outside the call had a part in them. */
  readonly recorded: boolean;
}

/** Cotangents of the inputs of a recorded call. First by sweeping numbers; recorded where something outside could ask for more. */
export function cotangentsOf(call: Recorded<unknown>, roots: readonly Value[], seeds: readonly Value[], keep: boolean): Cotangents {
  const connected = call.connected || (call.recording && seeds.some((seed) => seed.requiresGrad));
  if (!connected) {
    const numbers = sweepNumbers(call, roots, seeds, keep);
    if (numbers !== null) return { cotangents: numbers, recorded: false };
  }
  const found = RecordedPass.cotangents(roots, seeds, call.floor, call.inputs, runNow);
  return { cotangents: call.inputs.map((x) => found.get(x) ?? zerosFor(x)), recorded: true };
}

const runNow = (f: () => void): void => f();

export function zerosFor(x: Value): Value {
  return new Value(null, 0, zerosOf(x.type));
}

/** null where the sweep came by something outside the call, whose derivatives may be wanted. */
function sweepNumbers(call: Recorded<unknown>, roots: readonly Value[], seeds: readonly Value[], keep: boolean): Value[] | null {
  const pass = new NumericPass(call.floor);
  try {
    pass.run(
      roots,
      seeds.map((seed) => seed.payload),
    );
    const own = new Set<unknown>(call.inputs);
    const foreign = pass.foreign || [...pass.staged.keys()].some((leaf) => !own.has(leaf));
    if (foreign && call.recording) return null;
    pass.commit(keep);
    return call.inputs.map((x) => {
      const staged = pass.staged.get(x);
      return staged === undefined ? zerosFor(x) : new Value(null, 0, staged.cotangent);
    });
  } finally {
    pass.cleanUp();
  }
}
