import type { DType } from "../dtype.js";
import { type ArrayAlgebra, Guarded } from "./algebra.js";
import type { ArrayType } from "./array.js";
import { addRows, gather, scatterAdd, takeRows } from "./indexing.js";
import type { ElementwiseOp, StructuralOp } from "./op.js";
import { matmul } from "./products.js";
import { amax, amin, sum } from "./reductions.js";
import { broadcastTo, cast, concat, reshape, slice, stack, stop, transpose, unslice } from "./shapes.js";
import { elementwise } from "./table.js";

/** What a reader must be able to do for every rule to run on it. */
export interface Reader<T> {
  elementwise(op: ElementwiseOp, operands: readonly T[]): T;
  structural<A>(op: StructuralOp<A>, operands: readonly T[], attributes: A): T[];
  constant(x: number): T;
  typeOf(x: T): ArrayType;
}

/** The set of operations over one reader's values: raw arrays, recorded Values, instructions of a program. */
export function arrayAlgebra<T>(reader: Reader<T>): ArrayAlgebra<T> {
  const algebra: Record<string, unknown> = {};
  for (const [name, op] of Object.entries(elementwise)) algebra[name] = (...operands: T[]) => reader.elementwise(op, operands);
  const one = <A>(op: StructuralOp<A>, operands: readonly T[], attributes: A): T => reader.structural(op, operands, attributes)[0] as T;
  const structural: Partial<ArrayAlgebra<T>> = {
    const: reader.constant,
    when: (c: T, p: T) => new Guarded(c, p),
    typeOf: reader.typeOf,
    apply: reader.structural,
    stop: (x) => one(stop, [x], null),
    cast: (x, dtype: DType) => (reader.typeOf(x).dtype === dtype ? x : one(cast, [x], { dtype })),
    sum: (x, axes) => (axes.length === 0 ? x : one(sum, [x], { axes })),
    amax: (x, axes) => one(amax, [x], { axes }),
    amin: (x, axes) => one(amin, [x], { axes }),
    reshape: (x, shape) => one(reshape, [x], { shape }),
    transpose: (x, order) => one(transpose, [x], { order }),
    broadcastTo: (x, shape) => one(broadcastTo, [x], { shape }),
    slice: (x, ranges) => one(slice, [x], { ranges }),
    unslice: (x, shape, ranges) => one(unslice, [x], { shape, ranges }),
    concat: (xs, axis) => one(concat, xs, { axis }),
    stack: (xs, axis) => one(stack, xs, { axis }),
    gather: (x, indices, axis) => one(gather, [x, indices], { axis }),
    scatterAdd: (x, indices, axis, length) => one(scatterAdd, [x, indices], { axis, length }),
    takeRows: (table, indices) => one(takeRows, [table, indices], null),
    addRows: (x, indices, rows) => one(addRows, [x, indices], { rows }),
    matmul: (a, b, transposeA, transposeB) => one(matmul, [a, b], { transposeA, transposeB }),
  };
  return Object.assign(algebra, structural) as unknown as ArrayAlgebra<T>;
}
