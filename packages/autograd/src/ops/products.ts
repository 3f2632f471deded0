import { isFloating, promote, type TypedArray } from "../dtype.js";
import { ShapeError } from "../errors.js";
import { broadcastShapes, formatShape, type Shape } from "../shape.js";
import { ArrayType, type NdArray, newArray } from "./array.js";
import type { SingleOutputOp } from "./op.js";
import { broadcastStrides, forEachRow } from "./rows.js";

export interface Transpositions {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Rows and columns of an operand as the product sees it. */
function matrixOf(shape: Shape, transposed: boolean): [rows: number, columns: number] {
  const [p, q] = shape.slice(-2) as [number, number];
  return transposed ? [q, p] : [p, q];
}

/** Matrix product over the last two axes; leading axes broadcast. */
export const matmul: SingleOutputOp<Transpositions> = {
  kind: "structural",
  name: "matmul",
  keeps: [
    { operand: 0, for: 1 },
    { operand: 1, for: 0 },
  ],
  map: "multilinear",
  types: ([a, b], { transposeA, transposeB }) => {
    const [left, right] = [a as ArrayType, b as ArrayType];
    const [rows, inner] = matrixOf(left.shape, transposeA);
    const [innerB, columns] = matrixOf(right.shape, transposeB);
    if (inner !== innerB) {
      throw new ShapeError(
        `matmul: shapes ${formatShape(left.shape)} and ${formatShape(right.shape)} do not multiply: ${inner} columns on the left, ` +
          `${innerB} rows on the right. The inner lengths must be equal; transpose one operand or reshape it`,
      );
    }
    const batch = broadcastShapes("matmul", left.shape.slice(0, -2), right.shape.slice(0, -2));
    const dtype = promote(left.dtype, right.dtype);
    return [new ArrayType(dtype === "bool" ? "int32" : dtype, [...batch, rows, columns])];
  },
  forward: ([a, b], attributes, [type]) => [product(a as NdArray, b as NdArray, attributes, type as ArrayType)],
  vjp: (m, k, [ct], { attributes: { transposeA, transposeB }, operand }) => {
    // C = A B: dA = dC Bᵀ, dB = Aᵀ dC; where an operand came transposed, so does its cotangent.
    if (k === 0) return transposeA ? m.matmul(operand(1), ct, transposeB, true) : m.matmul(ct, operand(1), false, !transposeB);
    return transposeB ? m.matmul(ct, operand(0), true, transposeA) : m.matmul(operand(0), ct, !transposeA, false);
  },
};

/** A matrix as a product reads it: a transposed one has its strides the other way round. */
interface Strided {
  readonly data: TypedArray;
  readonly at: number;
  readonly down: number;
  readonly across: number;
}

/** C += A B with rows x inner, inner x columns; C is row-major and contiguous, and holds zeros before. */
type ProductKernel = (rows: number, columns: number, inner: number, a: Strided, b: Strided, c: TypedArray, c0: number) => void;

/** C = A B of one floating type, rows x inner by inner x columns; a transposed operand lies the other way round. */
export type LentProduct = (
  rows: number,
  columns: number,
  inner: number,
  a: TypedArray,
  a0: number,
  transposeA: boolean,
  b: TypedArray,
  b0: number,
  transposeB: boolean,
  c: TypedArray,
  c0: number,
) => void;

let lent: { readonly product: LentProduct; readonly from: number } | null = null;

/** Has products of at least `from` multiplications carried out by somebody faster: how `/compile` lends its kernels to eager mode. */
export function lendProduct(product: LentProduct, from: number): void {
  lent = { product, from };
}

function product(a: NdArray, b: NdArray, { transposeA, transposeB }: Transpositions, type: ArrayType): NdArray {
  const out = newArray(type);
  const { dtype } = type;
  const [rows, inner] = matrixOf(a.type.shape, transposeA);
  const columns = type.shape[type.shape.length - 1] as number;
  const borrows =
    lent !== null && rows * columns * inner >= lent.from && isFloating(dtype) && a.type.dtype === dtype && b.type.dtype === dtype;
  const batch = type.shape.slice(0, -2);
  const sizes = [rows * inner, inner * columns] as const;
  const strides = [a, b].map((x, k) => broadcastStrides(x.type.shape.slice(0, -2), batch).map((s) => s * (sizes[k] as number)));
  forEachRow(batch, strides, (n, start, [p = 0, q = 0], [sp = 0, sq = 0]) => {
    for (let k = 0; k < n; k++) {
      const c0 = out.offset + (start + k) * rows * columns;
      const a0 = a.offset + p + k * sp;
      const b0 = b.offset + q + k * sq;
      if (borrows) lent?.product(rows, columns, inner, a.data, a0, transposeA, b.data, b0, transposeB, out.data, c0);
      else
        tiledProduct(
          rows,
          columns,
          inner,
          strided(a.data, a0, rows, inner, transposeA),
          strided(b.data, b0, inner, columns, transposeB),
          out.data,
          c0,
        );
    }
  });
  return out;
}

function strided(data: TypedArray, at: number, rows: number, columns: number, transposed: boolean): Strided {
  return transposed ? { data, at, down: 1, across: rows } : { data, at, down: columns, across: 1 };
}

/** What is packed of A and B at a time: steps of the inner loop, and columns of B. */
const DEPTH = 512;
const WIDTH = 64;

/**
 * Tiles of 2 x 4 accumulators in registers. Both operands are copied so that the inner loop reads them one element after the other: two rows
 * of A in turns, and four columns of B in turns. The arrays that they are copied to are constants of a function, as the columns of the tape
 * are: V8 builds where they lie into the code, and the loop has the registers that it needs. At 256 on Node 20 2.3 GFLOP/s, where the same tile on arrays
 * that change does 1.7; more accumulators spill, and two steps at a time gain 5 %.
 */
const tiledProduct: ProductKernel = (() => {
  const left = new Float64Array(2 * DEPTH);
  const right = new Float64Array(WIDTH * DEPTH);

  function packRows({ data, at, down, across }: Strided, i: number, from: number, depth: number): void {
    let p = at + i * down + from * across;
    for (let k = 0; k < 2 * depth; k += 2, p += across) {
      left[k] = data[p] as number;
      left[k + 1] = data[p + down] as number;
    }
  }

  function packColumns({ data, at, down, across }: Strided, j: number, from: number, depth: number, width: number): void {
    for (let n = 0, r = 0; n < width; n += 4) {
      let q = at + from * down + (j + n) * across;
      for (let k = 0; k < depth; k++, q += down, r += 4) {
        right[r] = data[q] as number;
        right[r + 1] = data[q + across] as number;
        right[r + 2] = data[q + 2 * across] as number;
        right[r + 3] = data[q + 3 * across] as number;
      }
    }
  }

  function addTile(end: number, start: number, c: TypedArray, t: number, columns: number): void {
    let s00 = 0;
    let s01 = 0;
    let s02 = 0;
    let s03 = 0;
    let s10 = 0;
    let s11 = 0;
    let s12 = 0;
    let s13 = 0;
    for (let k = 0, r = start; k < end; k += 2, r += 4) {
      const x0 = left[k] as number;
      const x1 = left[k + 1] as number;
      const u = right[r] as number;
      const v = right[r + 1] as number;
      const w = right[r + 2] as number;
      const z = right[r + 3] as number;
      s00 += x0 * u;
      s01 += x0 * v;
      s02 += x0 * w;
      s03 += x0 * z;
      s10 += x1 * u;
      s11 += x1 * v;
      s12 += x1 * w;
      s13 += x1 * z;
    }
    (c[t] as number) += s00;
    (c[t + 1] as number) += s01;
    (c[t + 2] as number) += s02;
    (c[t + 3] as number) += s03;
    t += columns;
    (c[t] as number) += s10;
    (c[t + 1] as number) += s11;
    (c[t + 2] as number) += s12;
    (c[t + 3] as number) += s13;
  }

  return (rows, columns, inner, a, b, c, c0) => {
    const tiledRows = rows - (rows % 2);
    const tiledColumns = columns - (columns % 4);
    for (let from = 0; from < inner && tiledRows > 0; from += DEPTH) {
      const depth = Math.min(DEPTH, inner - from);
      for (let j = 0; j < tiledColumns; j += WIDTH) {
        const width = Math.min(WIDTH, tiledColumns - j);
        packColumns(b, j, from, depth, width);
        for (let i = 0; i < tiledRows; i += 2) {
          packRows(a, i, from, depth);
          for (let n = 0; n < width; n += 4) addTile(2 * depth, n * depth, c, c0 + i * columns + j + n, columns);
        }
      }
    }
    // What no tile covers.
    for (let i = 0; i < rows; i++) {
      for (let j = i < tiledRows ? tiledColumns : 0; j < columns; j++)
        c[c0 + i * columns + j] = dot(inner, a, a.at + i * a.down, b, b.at + j * b.across);
    }
  };
})();

function dot(inner: number, a: Strided, p: number, b: Strided, q: number): number {
  let total = 0;
  for (let k = 0; k < inner; k++, p += a.across, q += b.down) total += (a.data[p] as number) * (b.data[q] as number);
  return total;
}
