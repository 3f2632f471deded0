import type { DType } from "../dtype.js";
import type { Shape } from "../shape.js";
import type { ArrayType } from "./array.js";
import type { StructuralOp } from "./op.js";

/** A partial derivative that holds only where `condition` does; elsewhere it is 0, whatever `partial` evaluates to there. */
export class Guarded<T, C> {
  readonly condition: C;
  readonly partial: T;

  constructor(condition: C, partial: T) {
    this.condition = condition;
    this.partial = partial;
  }
}

/** What the rule of an elementwise function returns as a partial. */
export type PartialOf<T, C> = T | Guarded<T, C>;

/**
 * The arithmetic in which elementwise rules are written. T is opaque, so that one rule serves every reader: strings of the generated
 * switch, arrays, recorded Values, formulas, instructions. C is the type of a condition.
 */
export interface Arithmetic<T, C = T> {
  const(x: number): T;
  /** A partial that holds only where c does: readers compute where(c, cotangent * p, 0), so that 0 * Infinity never makes NaN. */
  when(c: C, p: T): Guarded<T, C>;
  where(c: C, x: T, y: T): T;

  neg(x: T): T;
  exp(x: T): T;
  expm1(x: T): T;
  log(x: T): T;
  log1p(x: T): T;
  sqrt(x: T): T;
  abs(x: T): T;
  sign(x: T): T;
  sin(x: T): T;
  cos(x: T): T;
  tanh(x: T): T;
  add(x: T, y: T): T;
  sub(x: T, y: T): T;
  mul(x: T, y: T): T;
  div(x: T, y: T): T;
  pow(x: T, y: T): T;
  maximum(x: T, y: T): T;
  minimum(x: T, y: T): T;

  eq(x: T, y: T): C;
  ne(x: T, y: T): C;
  lt(x: T, y: T): C;
  le(x: T, y: T): C;
  gt(x: T, y: T): C;
  ge(x: T, y: T): C;
  logicalAnd(x: C, y: C): C;
  logicalOr(x: C, y: C): C;
  logicalXor(x: C, y: C): C;
  logicalNot(x: C): C;
}

/** A slice of one axis: `size` elements from `start`, `step` apart (negative steps run backwards). */
export interface Range {
  readonly start: number;
  readonly size: number;
  readonly step: number;
}

/** The operations in which structural rules and composites are written: the arithmetic, elementwise with broadcasting, and these. */
export interface ArrayAlgebra<T> extends Arithmetic<T, T> {
  typeOf(x: T): ArrayType;
  /** Any structural operation; the methods below are its usual calls. */
  apply<A>(op: StructuralOp<A>, operands: readonly T[], attributes: A): T[];
  /** The same value, through which no derivative passes. */
  stop(x: T): T;
  cast(x: T, dtype: DType): T;
  sum(x: T, axes: readonly number[]): T;
  /** Largest (smallest) element over the axes; ties share the gradient. */
  amax(x: T, axes: readonly number[]): T;
  amin(x: T, axes: readonly number[]): T;
  reshape(x: T, shape: Shape): T;
  transpose(x: T, order: readonly number[]): T;
  broadcastTo(x: T, shape: Shape): T;
  /** One range an axis. */
  slice(x: T, ranges: readonly Range[]): T;
  /** Zeros of `shape` with x written where `slice` would have read it. */
  unslice(x: T, shape: Shape, ranges: readonly Range[]): T;
  concat(xs: readonly T[], axis: number): T;
  stack(xs: readonly T[], axis: number): T;
  /** Along `axis`, the element that `indices` names. */
  gather(x: T, indices: T, axis: number): T;
  /** Zeros with x added at the places that `gather` would have read. */
  scatterAdd(x: T, indices: T, axis: number, length: number): T;
  /** The rows of a table that `indices` names. */
  takeRows(table: T, indices: T): T;
  /** Zeros of `rows` rows with x added to the rows that `takeRows` would have read. */
  addRows(x: T, indices: T, rows: number): T;
  /** Matrix product over the last two axes, each operand optionally transposed there; leading axes broadcast. */
  matmul(a: T, b: T, transposeA: boolean, transposeB: boolean): T;
}
