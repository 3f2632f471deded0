import { type ArrayAlgebra, Guarded } from "./algebra.js";
import type { ArrayType } from "./array.js";
import type { ElementwiseOp, Linearization, Op, StructuralOp } from "./op.js";
import { sameShape } from "../shape.js";
import { unbroadcast } from "./shapes.js";

/** Both directions of one operation's derivative, on any reader: the only places that know how a rule is put to use. */

/** The cotangent of operand k. */
export function cotangentOf<T>(m: ArrayAlgebra<T>, op: Op, k: number, cotangents: readonly (T | null)[], at: Linearization<T, unknown>): T {
  const type = at.types[k] as ArrayType;
  if (op.kind === "elementwise") return unbroadcast(m, scaled(m, op, k, cotangents[0] as T, at), type);
  if (op.vjp === undefined) throw new Error(`${op.name} has no derivative`);
  return unbroadcast(m, op.vjp(m, k, cotangents, at), type);
}

/** x * partial of operand k, 0 where a guarded partial does not hold. */
export function scaled<T>(m: ArrayAlgebra<T>, op: ElementwiseOp, k: number, x: T, at: Linearization<T, unknown>): T {
  const rule = op.partials[k];
  if (rule === null || rule === undefined) throw new Error(`${op.name}: operand ${k} has no derivative`);
  if (op.kernel.partials[k] === "pass") return x;
  const reads = op.kernel.keeps[k] as number;
  // A partial is as exact as what it is multiplied with: of a float32 operand, too.
  const operands = Array.from({ length: op.arity }, (_, j) => {
    if ((reads & (1 << j)) === 0) return undefined as T;
    const operand = at.operand(j);
    return m.typeOf(x).dtype === "float64" && m.typeOf(operand).dtype === "float32" ? m.cast(operand, "float64") : operand;
  });
  const partial = rule(m, ...operands, (reads & 8) !== 0 ? at.output(0) : (undefined as T));
  if (!(partial instanceof Guarded)) return m.mul(x, partial);
  return m.where(partial.condition, m.mul(x, partial.partial), m.const(0));
}

/**
 * The tangents of the outputs, from those of the operands (null where there is none). `transposed` is asked where a rule gives its vjp
 * alone: the tangent map is then the transpose of the vjp.
 */
export function tangentsOf<T>(
  m: ArrayAlgebra<T>,
  op: Op,
  tangents: readonly (T | null)[],
  at: Linearization<T, unknown>,
  transposed: (op: StructuralOp, tangents: readonly (T | null)[], at: Linearization<T, unknown>) => (T | null)[],
): (T | null)[] {
  return untyped(m, op, tangents, at, transposed).map((t, k) => {
    // A tangent has its output's dtype, as a cotangent has its operand's.
    const { shape, dtype } = at.outTypes[k] as ArrayType;
    return t === null || shape.length === 0 ? t : m.cast(t, dtype);
  });
}

function untyped<T>(
  m: ArrayAlgebra<T>,
  op: Op,
  tangents: readonly (T | null)[],
  at: Linearization<T, unknown>,
  transposed: (op: StructuralOp, tangents: readonly (T | null)[], at: Linearization<T, unknown>) => (T | null)[],
): (T | null)[] {
  if (op.kind === "elementwise") return [elementwiseTangent(m, op, tangents, at)];
  if (op.jvp !== undefined) return op.jvp(m, tangents, at);
  if (op.map === "linear") {
    return m.apply(
      op,
      at.types.map((type, k) => linearOperand(m, op, type, k, tangents, at)),
      at.attributes,
    );
  }
  if (op.map === "multilinear") return [multilinearTangent(m, op, tangents, at)];
  return transposed(op, tangents, at);
}

function elementwiseTangent<T>(m: ArrayAlgebra<T>, op: ElementwiseOp, tangents: readonly (T | null)[], at: Linearization<T, unknown>): T {
  const terms = tangents.flatMap((t, k) => (t === null || op.partials[k] === null ? [] : [scaled(m, op, k, t, at)]));
  const sum = terms.reduce((x, y) => m.add(x, y));
  const { shape } = at.outTypes[0] as ArrayType;
  return sameShape(m.typeOf(sum).shape, shape) ? sum : m.broadcastTo(sum, shape);
}

function linearOperand<T>(
  m: ArrayAlgebra<T>,
  op: StructuralOp,
  type: ArrayType,
  k: number,
  tangents: readonly (T | null)[],
  at: Linearization<T, unknown>,
): T {
  if (op.constants?.includes(k)) return at.operand(k);
  return tangents[k] ?? m.broadcastTo(m.const(0), type.shape);
}

function multilinearTangent<T>(m: ArrayAlgebra<T>, op: StructuralOp, tangents: readonly (T | null)[], at: Linearization<T, unknown>): T {
  const terms = tangents.flatMap((t, k) =>
    t === null
      ? []
      : m.apply(
          op,
          at.types.map((_, j) => (j === k ? t : at.operand(j))),
          at.attributes,
        ),
  );
  return terms.reduce((x, y) => m.add(x, y));
}
