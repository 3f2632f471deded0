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
  const kernel = isFloating(dtype) && rows > 1 ? tiledProduct : rowProduct;
  if (inner === 0) return out;
  forEachRow(batch, strides, (n, start, [p = 0, q = 0], [sp = 0, sq = 0]) => {
    for (let k = 0; k < n; k++) {
      const c0 = out.offset + (start + k) * rows * columns;
      const a0 = a.offset + p + k * sp;
      const b0 = b.offset + q + k * sq;
      if (borrows) lent?.product(rows, columns, inner, a.data, a0, transposeA, b.data, b0, transposeB, out.data, c0);
      else
        kernel(
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

/** One row, or integers: the inner loop runs along the rows of B, or where it came transposed down its columns. */
const rowProduct: ProductKernel = (rows, columns, inner, a, b, c, c0) => {
  if (b.across !== 1 && !(c instanceof Int32Array)) return dotProducts(0, rows, 0, columns, columns, inner, a, b, c, c0);
  for (let i = 0; i < rows; i++) {
    const row = c0 + i * columns;
    for (let k = 0; k < inner; k++) {
      const x = a.data[a.at + i * a.down + k * a.across] as number;
      let q = b.at + k * b.down;
      for (let j = 0; j < columns; j++, q += b.across) (c[row + j] as number) += x * (b.data[q] as number);
    }
  }
};

/** Four columns of B, one element of each after the other. */
let panel = new Float64Array(1024);

/**
 * Tiles of 2 x 4 accumulators in registers, two steps of the inner loop at a time, B in panels of four columns where enough rows read them:
 * the best found of plain loops on Node 20 (bench/src/arrays/products.ts); more accumulators spill.
 */
const tiledProduct: ProductKernel = (rows, columns, inner, a, b, c, c0) => {
  const evenRows = rows - (rows % 2);
  const tiledColumns = columns - (columns % 4);
  const packs = rows > 4 || b.across !== 1;
  if (packs && panel.length < 4 * inner) panel = new Float64Array(4 * inner);
  const x = a.data;
  const y = packs ? panel : b.data;
  const step = packs ? 4 : b.down;
  const { across } = a;
  for (let j = 0; j < tiledColumns; j += 4) {
    if (packs) pack(b, inner, j);
    for (let i = 0; i < evenRows; i += 2) {
      let s00 = 0;
      let s01 = 0;
      let s02 = 0;
      let s03 = 0;
      let s10 = 0;
      let s11 = 0;
      let s12 = 0;
      let s13 = 0;
      let p = a.at + i * a.down;
      let q = p + a.down;
      let r = packs ? 0 : b.at + j;
      for (let k = 1; k <= inner; k += 2) {
        const x0 = x[p] as number;
        const x1 = x[q] as number;
        const u0 = y[r] as number;
        const v0 = y[r + 1] as number;
        const w0 = y[r + 2] as number;
        const z0 = y[r + 3] as number;
        s00 += x0 * u0;
        s01 += x0 * v0;
        s02 += x0 * w0;
        s03 += x0 * z0;
        s10 += x1 * u0;
        s11 += x1 * v0;
        s12 += x1 * w0;
        s13 += x1 * z0;
        p += across;
        q += across;
        r += step;
        if (k === inner) break;
        const x2 = x[p] as number;
        const x3 = x[q] as number;
        const u1 = y[r] as number;
        const v1 = y[r + 1] as number;
        const w1 = y[r + 2] as number;
        const z1 = y[r + 3] as number;
        s00 += x2 * u1;
        s01 += x2 * v1;
        s02 += x2 * w1;
        s03 += x2 * z1;
        s10 += x3 * u1;
        s11 += x3 * v1;
        s12 += x3 * w1;
        s13 += x3 * z1;
        p += across;
        q += across;
        r += step;
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
  dotProducts(0, evenRows, tiledColumns, columns, columns, inner, a, b, c, c0);
  dotProducts(evenRows, rows, 0, columns, columns, inner, a, b, c, c0);
};

function pack({ data, at, down, across }: Strided, inner: number, j: number): void {
  let q = at + j * across;
  for (let r = 0; r < 4 * inner; r += 4, q += down) {
    panel[r] = data[q] as number;
    panel[r + 1] = data[q + across] as number;
    panel[r + 2] = data[q + 2 * across] as number;
    panel[r + 3] = data[q + 3 * across] as number;
  }
}

/** What no tile covers: rows [i0, i1) by columns [j0, j1). */
function dotProducts(
  i0: number,
  i1: number,
  j0: number,
  j1: number,
  columns: number,
  inner: number,
  a: Strided,
  b: Strided,
  c: TypedArray,
  c0: number,
): void {
  for (let i = i0; i < i1; i++) {
    for (let j = j0; j < j1; j++) {
      let total = 0;
      let p = a.at + i * a.down;
      let q = b.at + j * b.across;
      for (let k = 0; k < inner; k++, p += a.across, q += b.down) total += (a.data[p] as number) * (b.data[q] as number);
      c[c0 + i * columns + j] = total;
    }
  }
}
