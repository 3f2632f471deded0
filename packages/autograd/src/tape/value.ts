import { type DType, isFloating, type TypedArray } from "../dtype.js";
import { DTypeError, GraphError, InputError, ShapeError } from "../errors.js";
import { type ArrayType, type Payload, toNdArray, typeOf } from "../ops/array.js";
import type { ReductionOptions, VarianceOptions } from "../ops/composites.js";
import { runStructural, zerosOf } from "../ops/raw.js";
import { detach } from "../ops/shapes.js";
import { type Refused, tracer } from "../ops/tracer.js";
import { checkSameShape, formatShape, SCALAR, type Shape } from "../shape.js";
import type { Operand } from "./apply.js";
import type { Origin } from "./arrayNode.js";
import { type BackwardOptions, backward } from "./backward.js";
import * as arrays from "./functions.js";
import { addHook, retainedGrad, retainGradOf } from "./hooks.js";
import { type ArrayOptions, isValueLike, type NestedNumbers, type NumericInput, payloadFrom } from "./input.js";
import * as compare from "./comparisons.js";
import { print } from "./print.js";
import * as scalar from "./scalar.generated.js";

/** One entry of a slice: a number takes that element and drops the axis, null takes the whole axis, `[start, stop, step]` a range. */
export type SliceEntry = number | null | readonly [start?: number | null, stop?: number | null, step?: number | null];

/**
 * What a user holds: a scalar or an array, with the operation that made it where a gradient may be wanted. Values are immutable.
 *
 * @example
 * import { param } from "@unroll/autograd";
 * const x = param(3);
 * const y = x.mul(x).add(1);
 * y.backward();
 * console.log(y.item(), x.grad.item()); // 10 6
 */
export class Value {
  /** The origin; of a leaf, the open segment once that imported its value. What the recording functions look at. Internal. */
  home: Origin | null;
  /** The index; of a leaf, the row of its import. Internal. */
  row: number;
  /** A plain number for a floating 0-d value, an array otherwise. Internal. */
  payload: Payload;

  constructor(origin: Origin | null, index: number, payload: Payload) {
    this.home = origin;
    this.row = index;
    this.payload = payload;
  }

  /** Where a gradient would go on to: null for a constant. Internal. */
  get origin(): Origin | null {
    return this.home;
  }

  /** Offset in the origin's segment, or output of its array node. Internal. */
  get index(): number {
    return this.row;
  }

  /** Shape and dtype together. Internal. */
  get type(): ArrayType {
    return typeOf(this.payload);
  }

  /** Axis lengths; [] for a scalar. */
  get shape(): Shape {
    return typeof this.payload === "number" ? SCALAR : this.payload.type.shape;
  }

  get dtype(): DType {
    return this.type.dtype;
  }

  /** Number of elements. */
  get size(): number {
    return this.type.size;
  }

  /** Whether a backward pass from here would lead anywhere. */
  get requiresGrad(): boolean {
    return this.origin !== null;
  }

  /** The elements in row-major order, to be read only: other Values may share them. */
  get data(): TypedArray {
    return toNdArray(this.payload).elements;
  }

  /** The number of a Value with one element. Throws ShapeError for any other size. */
  item(): number {
    if (typeof this.payload === "number") return this.payload;
    if (this.size === 1) return this.payload.elements[0] as number;
    throw new ShapeError(
      `item: expected one element, got shape ${formatShape(this.shape)}; use toArray(), or reduce it to a scalar (sum, mean)`,
    );
  }

  /** The elements as nested arrays (a number for a scalar), copied. */
  toArray(): NestedNumbers {
    return nested(this.data, this.shape, 0, { at: 0 });
  }

  /** The same elements as a constant: no gradient passes. */
  detach(): Value {
    if (tracer === null) return new Value(null, 0, this.payload);
    // A program differentiates all that it computes, but for what an instruction says; of a param it reads the value of each call.
    const { payload } = (this.origin as unknown) === this ? tracer.lift(this) : this;
    return new Value(null, 0, runStructural(detach, [payload], null)[0] as Payload);
  }

  /**
   * Adds the gradient of this value to the `.grad` of every leaf it depends on. Contributions are staged and committed after the whole
   * sweep: if anything throws, every `.grad` and the graph are as before. The graph is released, unless `retainGraph` (or `createGraph`,
   * which records the backward pass itself so that gradients can be differentiated again).
   * Throws GraphError where the value needs no gradient, is not a scalar and no `seed` (initial cotangent, of its shape) is given, or part
   * of the graph was released before.
   */
  backward(options: BackwardOptions = {}): void {
    backward(this, options);
  }

  /** Collects the gradient of an interior value in `.grad` at the next backward passes, as a Param does. Gives the value itself. */
  retainGrad(): this {
    retainGradOf(this);
    return this;
  }

  /** Calls f with the gradient of this value during each backward pass; a Value that f returns takes its place. Gives a function that removes f. */
  registerHook(f: (gradient: Value) => Value | undefined | void): () => void {
    return addHook(this, f);
  }

  /** Of a Param, or after retainGrad(): what backward passes brought. Throws GraphError on other values. */
  get grad(): Value {
    const grad = retainedGrad(this);
    if (grad !== undefined) return grad ?? new Value(null, 0, zerosOf(this.type));
    throw new GraphError(
      "grad: only a param collects a gradient; call retainGrad() on this value before backward(), or make it a param(…)",
    );
  }

  get hasGrad(): boolean {
    return (retainedGrad(this) ?? null) !== null;
  }

  toString(): string {
    return print(this);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return print(this);
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return print(this);
    throw new InputError(
      "JavaScript operators do not work on a Value: write a.add(b), a.mul(b), a.lt(b), or a.item() for the plain number",
    );
  }

  // Arithmetic. Operands are Values, numbers, nested arrays or typed arrays; see the function of the same name.
  add(y: Operand): Value {
    return scalar.add(this, y);
  }
  sub(y: Operand): Value {
    return scalar.sub(this, y);
  }
  mul(y: Operand): Value {
    return scalar.mul(this, y);
  }
  div(y: Operand): Value {
    return scalar.div(this, y);
  }
  pow(y: Operand): Value {
    return scalar.pow(this, y);
  }
  maximum(y: Operand): Value {
    return scalar.maximum(this, y);
  }
  minimum(y: Operand): Value {
    return scalar.minimum(this, y);
  }
  neg(): Value {
    return scalar.neg(this);
  }

  // Common functions.
  exp(): Value {
    return scalar.exp(this);
  }
  log(): Value {
    return scalar.log(this);
  }
  sqrt(): Value {
    return scalar.sqrt(this);
  }
  square(): Value {
    return scalar.square(this);
  }
  abs(): Value {
    return scalar.abs(this);
  }
  reciprocal(): Value {
    return scalar.reciprocal(this);
  }
  sin(): Value {
    return scalar.sin(this);
  }
  cos(): Value {
    return scalar.cos(this);
  }
  tanh(): Value {
    return scalar.tanh(this);
  }
  sigmoid(): Value {
    return scalar.sigmoid(this);
  }
  relu(): Value {
    return scalar.relu(this);
  }
  softplus(): Value {
    return scalar.softplus(this);
  }

  // Comparisons give bool Values: `if (a.lt(b))` is always true, since every object is; write `if (a.lt(b).item())`.
  eq(y: Operand): Value {
    return compare.eq(this, y);
  }
  ne(y: Operand): Value {
    return compare.ne(this, y);
  }
  lt(y: Operand): Value {
    return compare.lt(this, y);
  }
  le(y: Operand): Value {
    return compare.le(this, y);
  }
  gt(y: Operand): Value {
    return compare.gt(this, y);
  }
  ge(y: Operand): Value {
    return compare.ge(this, y);
  }

  // Reductions.
  sum(options?: ReductionOptions): Value {
    return arrays.sum(this, options);
  }
  mean(options?: ReductionOptions): Value {
    return arrays.mean(this, options);
  }
  max(options?: ReductionOptions): Value {
    return arrays.max(this, options);
  }
  min(options?: ReductionOptions): Value {
    return arrays.min(this, options);
  }
  prod(options?: ReductionOptions): Value {
    return arrays.prod(this, options);
  }
  variance(options?: VarianceOptions): Value {
    return arrays.variance(this, options);
  }
  logSumExp(options?: ReductionOptions): Value {
    return arrays.logSumExp(this, options);
  }

  // Products and shapes.
  matmul(y: Operand): Value {
    return arrays.matmul(this, y);
  }
  reshape(shape: Shape): Value {
    return arrays.reshape(this, shape);
  }
  transpose(order?: readonly number[]): Value {
    return arrays.transpose(this, order);
  }
  broadcastTo(shape: Shape): Value {
    return arrays.broadcastTo(this, shape);
  }
  slice(...entries: SliceEntry[]): Value {
    return arrays.slice(this, ...entries);
  }
}

function nested(data: TypedArray, shape: Shape, depth: number, cursor: { at: number }): NestedNumbers {
  if (depth === shape.length) return data[cursor.at++] as number;
  return Array.from({ length: shape[depth] as number }, () => nested(data, shape, depth + 1, cursor));
}

/**
 * A leaf: a Value that collects a gradient. It lives outside any tape; graphs import its value when they first use it.
 *
 * @example
 * import { param } from "@unroll/autograd";
 * const w = param([1, 2, 3], { name: "w" });
 * w.square().sum().backward();
 * console.log(w.grad.toArray()); // [ 2, 4, 6 ]
 */
export class Param extends Value {
  /** For messages and pictures; "" where none was given. */
  readonly name: string;
  /** Whether a transform made it for one call of its function, which is not traced itself. Internal. */
  readonly isOfCall: boolean;
  private collected: Value | null = null;

  constructor(payload: Payload, name: string, isOfCall = false) {
    super(null, 0, payload);
    this.name = name;
    this.isOfCall = isOfCall;
  }

  override get origin(): Param {
    return this;
  }

  override get index(): number {
    return 0;
  }

  /** As of any Value; while a function is traced the elements are not known, since a program reads them at each call. */
  override get data(): TypedArray {
    return tracer === null ? super.data : toNdArray(tracer.lift(this).payload).elements;
  }

  override item(): number {
    return tracer === null ? super.item() : (this.data[0] as number);
  }

  /** The sum of what backward passes brought since the last zeroGrad; zeros until one did. Never changes under the reader. */
  override get grad(): Value {
    checkUntraced("grad", this);
    return this.collected ?? new Value(null, 0, zerosOf(this.type));
  }

  /** Whether a backward pass has reached this leaf since the last zeroGrad. */
  override get hasGrad(): boolean {
    checkUntraced("hasGrad", this);
    return this.collected !== null;
  }

  /** Adds to `.grad`; with a graph where createGraph asked for one. Internal. */
  collect(gradient: Value): void {
    this.collected = this.collected?.add(gradient) ?? gradient;
  }

  /** Forgets the gradient; see zeroGrad. Internal. */
  clearGrad(): void {
    checkUntraced("zeroGrad", this);
    this.collected = null;
  }

  /**
   * Gives the leaf another value of the same shape, converted to its dtype. Graphs that used the old value keep it. Throws ShapeError
   * for another shape.
   *
   * @example
   * import { param } from "@unroll/autograd";
   * const w = param(2);
   * const y = w.square();
   * w.set(10);
   * y.backward();
   * console.log(w.item(), w.grad.item()); // 10 4
   */
  set(x: Value | NumericInput): void {
    checkUntraced("set", this);
    const { shape, dtype } = this.type;
    const given = x instanceof Value ? x.payload : payloadFrom("set", x);
    const got = typeOf(given);
    checkSameShape("set", `the value for ${describeParam(this)}`, got.shape, shape, "make a new param for another shape");
    this.payload = got.dtype === dtype ? given : payloadFrom("set", toNdArray(given).elements, { dtype, shape });
    this.home = null;
  }
}

function checkUntraced(op: Refused, x: Param): void {
  tracer?.refuse(op, describeParam(x));
}

function describeParam({ name }: Param): string {
  return name === "" ? "the param" : `param "${name}"`;
}

/**
 * A constant from numbers: a number, nested arrays, or a typed array with a shape. Throws InputError or ShapeError (ragged nests, a shape
 * of another size).
 *
 * @example
 * import { value } from "@unroll/autograd";
 * console.log(value([[1, 2], [3, 4]]).sum().item()); // 10
 */
export function value(x: NumericInput, options?: ArrayOptions): Value {
  return new Value(null, 0, payloadFrom("value", x, options));
}

export interface ParamOptions extends ArrayOptions {
  /** Shown in messages and pictures. */
  readonly name?: string;
}

/**
 * A leaf that collects a gradient: float64 or float32 (a scalar is always float64). Throws DTypeError for int32 and bool, which carry none.
 *
 * @example
 * import { param } from "@unroll/autograd";
 * const w = param(0.5);
 * w.exp().backward();
 * console.log(w.grad.item()); // 1.6487212707001282
 */
export function param(x: NumericInput, { name = "", ...options }: ParamOptions = {}): Param {
  const payload = payloadFrom("param", x, options);
  const { dtype } = typeOf(payload);
  if (!isFloating(dtype)) throw new DTypeError(`param: ${dtype} carries no gradient; use float64 or float32, or value(…) for a constant`);
  return new Param(payload, name);
}

/** Throws where x is a Value of another copy of the package (ESM beside CJS, two versions). */
export function checkIsValue(x: unknown): asserts x is Value {
  if (x instanceof Value) return;
  throw new InputError(
    isValueLike(x)
      ? "got a Value of another copy of @unroll/autograd; import one version everywhere, in one way (ESM or CommonJS)"
      : "expected a Value",
  );
}
