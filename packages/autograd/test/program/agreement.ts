import { hvp, jvp, param, type Value, value, valueAndGrad } from "../../src/index.js";
import { EPSILON } from "../matrix/agreement.js";
import { gradientsOf, inner, randomLike } from "../matrix/derivatives.js";
import { isFloating } from "../matrix/references.js";
import { eager, type Runner } from "../matrix/runners.js";
import { compiled } from "./compiledRun.js";

export type Call = (...xs: Value[]) => readonly Value[];

/** What a way of running computes of a function, by name. */
type Computed = Readonly<Record<string, readonly Value[]>>;

/** As x, of the dtype of another; a floating 0-d value is float64 anyway. */
const like = (x: Value, { dtype }: Value): Value => (dtype === "float32" ? single(x) : x);
export const single = (x: Value): Value => (isFloating(x) ? value(Float32Array.from(x.data), { shape: x.shape }) : x);
const double = (x: Value): Value => (isFloating(x) ? value(Float64Array.from(x.data), { shape: x.shape }) : x);

/**
 * sum(c * out²) over the floating outputs, c seeded: a scalar of every output, and of second order where the operation is linear. With
 * `absolute`, the sum of its absolute terms.
 */
function lossOf(call: Call, absolute = false): (...xs: Value[]) => Value {
  return (...xs) => {
    const outputs = call(...xs).filter(isFloating);
    const weights = randomLike(outputs, 3).map((c, k) => like(absolute ? c.abs() : c, outputs[k] as Value));
    return inner(
      outputs.map((y) => y.square()),
      weights,
    );
  };
}

const LOSS = "loss";
const all = (xs: readonly Value[]): number[] => xs.map((_, k) => k);

/** Outputs and first and second derivatives, in both modes. `operands` are floating. */
function computed(call: Call, operands: readonly Value[], { inside, outside }: Runner, orders: 1 | 2): Computed {
  const f = inside(call);
  const loss = inside(lossOf(call));
  const floating = inside((...xs: Value[]) => call(...xs).filter(isFloating));
  const directions = randomLike(operands, 21).map((t, k) => like(t, operands[k] as Value));
  const gradients = (...xs: Value[]) => {
    const [y, dy] = valueAndGrad(loss, { argnums: all(xs) })(...xs);
    return [y, ...dy];
  };
  const tangents = (...xs: Value[]) => jvp(floating, xs, directions).flat();
  const [y, ...dy] = outside(gradients)(...operands) as [Value, ...Value[]];
  const first = {
    outputs: outside(f)(...operands),
    [LOSS]: [y],
    gradients: dy,
    "values and tangents": outside(tangents)(...operands),
  };
  if (orders === 1) return first;
  const products = (...xs: Value[]) => hvp(loss, xs, directions);
  const ofGradients = (...xs: Value[]) => gradientsOf((...ys) => inner(gradientsOf(loss, ys), directions), xs);
  const ofTangents = (...xs: Value[]) => gradientsOf((...ys) => jvp(loss, ys, directions)[1], xs);
  return {
    ...first,
    "Hessian-vector products": outside(products)(...operands),
    "gradients of the gradient along a direction": outside(ofGradients)(...operands),
    "gradients of a tangent": outside(ofTangents)(...operands),
  };
}

/** The same by backward() and .grad, where a call of a compiled function is one node; and compiled between two derivatives. */
function byBackward(call: Call, operands: readonly Value[], inside: Runner["inside"], orders: 1 | 2): Computed {
  const loss = inside(lossOf(call));
  const leaves = operands.map((x) => param(x.data.slice(), { shape: x.shape }));
  const gradients = (): Value[] => {
    const found = leaves.map((leaf) => leaf.grad);
    for (const leaf of leaves) leaf.clearGrad();
    return found;
  };
  const root = loss(...leaves);
  // A product of nothing is a constant, of which eagerly nothing is recorded.
  if (!root.requiresGrad) return {};
  root.backward({ retainGraph: true });
  const plain = gradients();
  root.backward({ createGraph: true });
  const recorded = gradients();
  const first = { "gradients by backward()": plain, "recorded gradients": recorded.map((g) => g.detach()) };
  if (orders === 1) return first;
  const directions = randomLike(operands, 21).map((t, k) => like(t, operands[k] as Value));
  const along = inner(recorded, directions);
  if (along.requiresGrad) along.backward();
  const slope = inside((...xs: Value[]) => inner(gradientsOf(lossOf(call), xs), directions));
  return {
    ...first,
    "gradients of recorded gradients": gradients(),
    "gradients of a compiled derivative": gradientsOf(slope, operands),
  };
}

const everything = (call: Call, operands: readonly Value[], runner: Runner, orders: 1 | 2): Computed => ({
  ...computed(call, operands, runner, orders),
  ...(runner.inside === eager.inside && runner !== eager ? {} : byBackward(call, operands, runner.inside, orders)),
});

/** How many units in the last place of the sum of the absolute terms compiled and eager results may differ in float64. */
const FEW = 8;
/** How much larger than eager's a compiled float32 result's error may be, and the rounding of the result itself. */
const [TIMES, ULPS] = [4, 2];

/**
 * What is wrong with what a runner computes of a function, measured against eager float64: one line an element. In float64, it must be
 * eager's to a few ulp of the absolute terms; in float32, its error at most 4 times eager's.
 */
export function wrongAgainstEager(call: Call, operands: readonly Value[], runner: Runner, orders: 1 | 2 = 2): string[] {
  const got = everything(call, operands, runner, orders);
  const same = everything(call, operands, eager, orders);
  const exact = operands.some(({ dtype }) => dtype === "float32") ? everything(call, operands.map(double), eager, orders) : same;
  const smallest = Math.max(1, ...operands.flatMap((x) => magnitudes(x)));
  const [terms = 0] = magnitudes(lossOf(call, true)(...operands));
  return Object.entries(got).flatMap(([name, arrays]) => {
    if (same[name] === undefined || exact[name] === undefined) return [];
    const [ours, theirs] = [same[name], exact[name]];
    if (arrays.length !== ours.length) return [`${name}: ${arrays.length} arrays, expected ${ours.length}`];
    return arrays.flatMap((x, k) =>
      wrongArray(`${name}, array ${k}`, x, ours[k] as Value, theirs[k] as Value, name === LOSS ? Math.max(smallest, terms) : smallest),
    );
  });
}

const magnitudes = (x: Value): number[] => Array.from<number>(x.data).filter(Number.isFinite).map(Math.abs);

function wrongArray(what: string, got: Value, ours: Value, exact: Value, smallest: number): string[] {
  const kind = (x: Value) => `${x.dtype} [${x.shape.join()}]`;
  if (kind(got) !== kind(ours)) return [`${what}: ${kind(got)}, expected ${kind(ours)}`];
  const allowed = allowance(ours, exact, smallest);
  const reference = ours === exact ? ours : exact;
  return Array.from<number>(reference.data).flatMap((expected, k) => {
    const [x, y] = [got.data[k] as number, ours.data[k] as number];
    // What is no number must be the same as eagerly, whatever it would be in float64.
    const fits = Number.isFinite(y) && Number.isFinite(expected) ? Math.abs(x - expected) <= allowed : Object.is(x, y);
    return fits ? [] : [`${what}[${k}]: ${x}, eagerly ${y}, in float64 ${expected} (allowed ${allowed.toExponential(1)})`];
  });
}

function allowance(ours: Value, exact: Value, smallest: number): number {
  if (!isFloating(ours)) return 0;
  const scale = Math.max(smallest, ...magnitudes(exact));
  if (ours === exact) return FEW * EPSILON.float64 * scale;
  const errors = Array.from<number>(ours.data).map((x, k) => Math.abs(x - (exact.data[k] as number)));
  return TIMES * Math.max(0, ...errors.filter(Number.isFinite)) + ULPS * EPSILON.float32 * scale;
}

/**
 * compile(f) alone against f, for what is not differentiated: integers and bool exactly; numbers to a few ulp of their own, and zeros with
 * their signs, infinities and NaN where they are eagerly.
 */
export function wrongElements(f: Call, operands: readonly Value[]): string[] {
  const [got, expected] = [compiled(f)(...operands), f(...operands)];
  return expected.flatMap((y, k) => {
    const x = got[k] as Value;
    const kind = (z: Value) => `${z.dtype} [${z.shape.join()}]`;
    if (kind(x) !== kind(y)) return [`output ${k}: ${kind(x)}, expected ${kind(y)}`];
    const ulp = isFloating(y) ? EPSILON[y.dtype as "float64" | "float32"] : 0;
    return Array.from<number>(y.data).flatMap((e, j) => {
      const z = x.data[j] as number;
      const fits = Number.isFinite(e) && e !== 0 && ulp > 0 ? Math.abs(z - e) <= FEW * ulp * Math.abs(e) : Object.is(z, e);
      return fits ? [] : [`output ${k}[${j}]: ${printed(z)}, expected ${printed(e)}`];
    });
  });
}

const printed = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
