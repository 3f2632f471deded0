import type { ArrayAlgebra, Arithmetic, PartialOf } from "./algebra.js";
import type { ArrayType, NdArray } from "./array.js";
import type { ElementwiseKernel } from "./elementwise.generated.js";

/** Rules as every reader calls them; the table's entries are typed by their number of operands. */
export type ElementwiseForward = <T>(m: Arithmetic<T>, ...operands: T[]) => T;
export type ElementwisePartial = <T>(m: Arithmetic<T>, ...operandsAndOut: T[]) => PartialOf<T, T>;

export interface ElementwiseOp {
  readonly kind: "elementwise";
  readonly name: string;
  readonly arity: number;
  /** "same": integers stay integers; "float": they become float64 first; "bool": the result is a condition. */
  readonly result: "same" | "float" | "bool";
  readonly forward: ElementwiseForward;
  /** null where an operand carries no derivative. */
  readonly partials: readonly (ElementwisePartial | null)[];
  readonly kernel: ElementwiseKernel;
}

/** What a rule of a structural operation may read when it differentiates. */
export interface Linearization<T, A> {
  readonly attributes: A;
  /** Types of the operands; always there. */
  readonly types: readonly ArrayType[];
  readonly outTypes: readonly ArrayType[];
  /** An operand that the rule `keeps`. */
  operand(k: number): T;
  /** An output that the rule `keeps`. */
  output(k: number): T;
}

/** Something that is kept for the backward pass, wanted by the derivative of operand `for` (of all operands where left out). */
interface Keep {
  readonly operand?: number;
  readonly output?: number;
  readonly for?: number;
}

/**
 * A structural operation on arrays. A is its attributes: plain data, so that equal instructions can be recognised. Its derivative is one
 * of: `linear` (the tangent map is the operation itself, with `vjp` its transpose), `multilinear` (the same for each operand alone), or
 * `vjp` alone, whose transpose then is the tangent map, unless `jvp` gives it.
 */
export interface StructuralOp<A = unknown> {
  readonly kind: "structural";
  readonly name: string;
  /** Operands that never carry a derivative (indices). */
  readonly constants?: readonly number[];
  readonly keeps?: readonly Keep[];
  readonly map?: "linear" | "multilinear";
  /** Types of the outputs; throws ShapeError, DTypeError or IndexError naming the operation. */
  types(operands: readonly ArrayType[], attributes: A): ArrayType[];
  /** The plain kernel. */
  forward(operands: readonly NdArray[], attributes: A, outTypes: readonly ArrayType[]): NdArray[];
  /** The cotangent of operand k; null in `cotangents` for outputs that none came back to. */
  vjp?<T>(m: ArrayAlgebra<T>, k: number, cotangents: readonly (T | null)[], at: Linearization<T, A>): T;
  /** The tangents of the outputs, null where an output carries none. */
  jvp?<T>(m: ArrayAlgebra<T>, tangents: readonly (T | null)[], at: Linearization<T, A>): (T | null)[];
}

/**
 * An operation whose first output alone carries a derivative; integers may follow it, such as positions. Its `vjp` is asked only when a
 * cotangent came to that output; its `jvp`, which only an operation of one floating operand can have, when that has a tangent.
 */
export interface SingleOutputOp<A = unknown> extends StructuralOp<A> {
  types(operands: readonly ArrayType[], attributes: A): [ArrayType, ...ArrayType[]];
  vjp?<T>(m: ArrayAlgebra<T>, k: number, cotangents: readonly [NoInfer<T>, ...null[]], at: Linearization<T, A>): T;
  jvp?<T>(m: ArrayAlgebra<T>, tangents: readonly [NoInfer<T>], at: Linearization<T, A>): (T | null)[];
}

export type Op = ElementwiseOp | StructuralOp;
