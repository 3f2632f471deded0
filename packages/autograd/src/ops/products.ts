import { isFloating, promote, type TypedArray } from "../dtype.js";
import { ShapeError } from "../errors.js";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../shape.js";
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

/** C += A B with rows x inner, inner x columns, all row-major and contiguous; C holds zeros before. */
type ProductKernel = (
  rows: number,
  columns: number,
  inner: number,
  a: TypedArray,
  a0: number,
  b: TypedArray,
  b0: number,
  c: TypedArray,
  c0: number,
) => void;

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
  const left = transposeA && !borrows ? transposedMatrices(a) : a;
  const right = transposeB && !borrows ? transposedMatrices(b) : b;
  const batch = type.shape.slice(0, -2);
  const sizes = [rows * inner, inner * columns] as const;
  const strides = [a, b].map((x, k) => broadcastStrides(x.type.shape.slice(0, -2), batch).map((s) => s * (sizes[k] as number)));
  const kernel = isFloating(dtype) && rows > 1 ? tiledProduct : rowProduct;
  if (inner === 0) return out;
  forEachRow(batch, strides, (n, start, [p = 0, q = 0], [sp = 0, sq = 0]) => {
    for (let k = 0; k < n; k++) {
      const c0 = out.offset + (start + k) * rows * columns;
      const a0 = left.offset + p + k * sp;
      const b0 = right.offset + q + k * sq;
      if (borrows) lent?.product(rows, columns, inner, left.data, a0, transposeA, right.data, b0, transposeB, out.data, c0);
      else kernel(rows, columns, inner, left.data, a0, right.data, b0, out.data, c0);
    }
  });
  return out;
}

/** Transposing costs n² beside the n³ of the product, and leaves one kernel to be made fast. */
function transposedMatrices(x: NdArray): NdArray {
  const { shape, dtype } = x.type;
  const [rows, columns] = matrixOf(shape, false);
  const out = newArray(new ArrayType(dtype, [...shape.slice(0, -2), columns, rows]));
  const matrices = sizeOf(shape.slice(0, -2));
  for (let k = 0; k < matrices; k++)
    transposeMatrix(x.data, x.offset + k * rows * columns, out.data, out.offset + k * rows * columns, rows, columns);
  return out;
}

const BLOCK = 16;

/** In blocks that stay in the first-level cache. */
export function transposeMatrix(x: TypedArray, x0: number, out: TypedArray, o: number, rows: number, columns: number): void {
  for (let i0 = 0; i0 < rows; i0 += BLOCK) {
    const i1 = Math.min(i0 + BLOCK, rows);
    for (let j0 = 0; j0 < columns; j0 += BLOCK) {
      const j1 = Math.min(j0 + BLOCK, columns);
      for (let i = i0; i < i1; i++) for (let j = j0; j < j1; j++) out[o + j * rows + i] = x[x0 + i * columns + j] as number;
    }
  }
}

/** One row, or integers: the inner loop runs along the rows of B. */
const rowProduct: ProductKernel = (rows, columns, inner, a, a0, b, b0, c, c0) => {
  for (let i = 0; i < rows; i++) {
    const row = c0 + i * columns;
    for (let k = 0; k < inner; k++) {
      const x = a[a0 + i * inner + k] as number;
      const from = b0 + k * columns;
      for (let j = 0; j < columns; j++) (c[row + j] as number) += x * (b[from + j] as number);
    }
  }
};

/** Tiles of 2 x 4 accumulators in registers: 3.5 to 4 GFLOP/s, the best found of plain loops; more accumulators spill. */
const tiledProduct: ProductKernel = (rows, columns, inner, a, a0, b, b0, c, c0) => {
  const evenRows = rows - (rows % 2);
  const tiledColumns = columns - (columns % 4);
  for (let j = 0; j < tiledColumns; j += 4) {
    for (let i = 0; i < evenRows; i += 2) {
      let s00 = 0;
      let s01 = 0;
      let s02 = 0;
      let s03 = 0;
      let s10 = 0;
      let s11 = 0;
      let s12 = 0;
      let s13 = 0;
      let p = a0 + i * inner;
      let q = p + inner;
      let r = b0 + j;
      for (let k = 0; k < inner; k++, p++, q++, r += columns) {
        const x = a[p] as number;
        const y = a[q] as number;
        const u = b[r] as number;
        const v = b[r + 1] as number;
        const w = b[r + 2] as number;
        const z = b[r + 3] as number;
        s00 += x * u;
        s01 += x * v;
        s02 += x * w;
        s03 += x * z;
        s10 += y * u;
        s11 += y * v;
        s12 += y * w;
        s13 += y * z;
      }
      const t = c0 + i * columns + j;
      c[t] = s00;
      c[t + 1] = s01;
      c[t + 2] = s02;
      c[t + 3] = s03;
      c[t + columns] = s10;
      c[t + columns + 1] = s11;
      c[t + columns + 2] = s12;
      c[t + columns + 3] = s13;
    }
  }
  dotProducts(0, evenRows, tiledColumns, columns, columns, inner, a, a0, b, b0, c, c0);
  dotProducts(evenRows, rows, 0, columns, columns, inner, a, a0, b, b0, c, c0);
};

/** The edges that no tile covers: rows [i0, i1) by columns [j0, j1). */
function dotProducts(
  i0: number,
  i1: number,
  j0: number,
  j1: number,
  columns: number,
  inner: number,
  a: TypedArray,
  a0: number,
  b: TypedArray,
  b0: number,
  c: TypedArray,
  c0: number,
): void {
  for (let i = i0; i < i1; i++) {
    for (let j = j0; j < j1; j++) {
      let total = 0;
      for (let k = 0; k < inner; k++) total += (a[a0 + i * inner + k] as number) * (b[b0 + k * columns + j] as number);
      c[c0 + i * columns + j] = total;
    }
  }
}
