import { GraphError } from "../errors.js";
import { checkSameShape } from "../shape.js";
import { ArrayNode } from "./arrayNode.js";
import { HOOKED, type Segment } from "./segments.js";
import { checkIsValue, Param, type Value } from "./value.js";

/** Runs when the whole gradient of a value is known; what it wants to keep it hands to `atCommit`, so that a throw leaves nothing behind. */
export type Hook = (gradient: Value, atCommit: (f: () => void) => void) => Value;

const leafHooks = new WeakMap<Param, Hook[]>();
const retained = new WeakMap<Value, Value | null>();

/** The code that HOOKED stands for at a place, and the hooks there. */
export interface HookedNode {
  readonly code: number;
  readonly hooks: Hook[];
}

export function needsNoGradient(op: string): never {
  throw new GraphError(`${op}: this value needs no gradient: it was computed from constants or under noGrad; start from a param`);
}

/** The hooks of one value, in a list that may be added to. */
function hooksOf(op: string, x: Value): Hook[] {
  const { origin } = x;
  if (origin === null) needsNoGradient(op);
  if (origin instanceof Param) {
    const hooks = leafHooks.get(origin) ?? [];
    leafHooks.set(origin, hooks);
    return hooks;
  }
  if (origin instanceof ArrayNode) {
    origin.hooks ??= [];
    return (origin.hooks[x.index] ??= []);
  }
  return segmentHooks(op, origin, x.index);
}

function segmentHooks(op: string, { core }: Segment, offset: number): Hook[] {
  const place = core.locate(offset);
  if (place < 0)
    throw new GraphError(`${op}: an earlier backward pass released this graph; call it before, or pass retainGraph: true there`);
  core.hooks ??= new Map();
  let entry = core.hooks.get(place);
  if (entry === undefined) {
    entry = { code: core.op[place] as number, hooks: [] };
    core.hooks.set(place, entry);
    core.op[place] = HOOKED;
  }
  return entry.hooks;
}

export function hooksOfLeaf(leaf: Param): readonly Hook[] {
  return leafHooks.get(leaf) ?? [];
}

/** Passes a gradient through hooks, in order of registration. */
export function runHooks(hooks: readonly Hook[] | undefined, gradient: Value, atCommit: (f: () => void) => void): Value {
  let out = gradient;
  for (const hook of [...(hooks ?? [])]) out = hook(out, atCommit);
  return out;
}

/** See Value.registerHook. */
export function addHook(x: Value, f: (gradient: Value) => Value | undefined | void): () => void {
  const hook: Hook = (gradient) => {
    const changed = f(gradient);
    if (changed === undefined) return gradient;
    checkIsValue(changed);
    checkSameShape("registerHook", "what a hook returned", changed.shape, gradient.shape, "return the gradient's shape, or nothing");
    return changed;
  };
  const hooks = hooksOf("registerHook", x);
  hooks.push(hook);
  return () => {
    const k = hooks.indexOf(hook);
    if (k >= 0) hooks.splice(k, 1);
  };
}

/** See Value.retainGrad. */
export function retainGradOf(x: Value): void {
  if (x instanceof Param || retained.has(x)) return;
  hooksOf("retainGrad", x).push((gradient, atCommit) => {
    atCommit(() => retained.set(x, retained.get(x)?.add(gradient) ?? gradient));
    return gradient;
  });
  retained.set(x, null);
}

/** undefined: does not retain; null: nothing came back yet. */
export function retainedGrad(x: Value): Value | null | undefined {
  return retained.get(x);
}

export function clearRetainedGrad(x: Value): void {
  if (retained.has(x)) retained.set(x, null);
}
