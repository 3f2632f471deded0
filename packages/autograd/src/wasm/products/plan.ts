import { bytesPerElement } from "../../dtype.js";
import { lanesOf, panelWidth, type ProductMode, TILE_ROWS } from "./lanes.js";

/** Rows of A that are packed and multiplied at a time: with BLOCK_DEPTH of them they take an eighth of the second-level cache. */
export const BLOCK_ROWS = 64;

/**
 * The longest stretch of k that is summed up in registers: a panel of B and a tile of A, 24 KB in float32, stay in the first-level cache.
 * GFLOP/s of 512 x 512 x 512 on Node 20 and 24, with fused multiply-add: 34 and 35 with 256 or 384, 37 and 37 with 512, 36 and 35 with 640.
 */
export const BLOCK_DEPTH = 512;

/** How A is read: row by row in place, or packed into panels, block by block, out of rows or out of columns. */
export type FormOfA = "Rows" | "Blocks" | "Transposed";
export type FormOfB = "Packed" | "InPlace";
export type ProductFunction = `product${FormOfA}${FormOfB}`;

/** The form of B that a function of a products module takes. */
export function formOfBIn(f: ProductFunction): FormOfB {
  return f.endsWith("Packed") ? "Packed" : "InPlace";
}

export interface ProductSizes extends ProductMode {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** A stands as [inner, rows]. */
  readonly transposeA: boolean;
  /** B stands as [columns, inner]. */
  readonly transposeB: boolean;
  /** The same B is multiplied again and again, and packed once for all of them. */
  readonly reusedB: boolean;
}

/** How to compute a product with the functions of a products module. */
export interface ProductPlan {
  /** The function that packs B, (b, ldb, inner, columns, target); null where B is read in place. */
  readonly pack: "packB" | "packBTransposed" | null;
  /** Bytes of B packed. */
  readonly packedBytes: number;
  /**
   * The function that multiplies: (rows, columns, inner, a, lda, b, ldb, c, ldc, accumulate, scratch), with `b` the packed B if there is
   * one, and ldb of no meaning then.
   */
  readonly product: ProductFunction;
  /** Enough for products of the same function with fewer rows or a shorter inner axis, too. */
  readonly scratchBytes: number;
}

export function planProduct(sizes: ProductSizes): ProductPlan {
  const { rows, columns, inner, transposeB } = sizes;
  const b = formOfB(sizes);
  const a = formOfA(sizes);
  const lanes = lanesOf(sizes);
  const packedBytes = b === "Packed" ? roundUp(columns, panelWidth(lanes)) * inner * lanes.size : 0;
  return {
    pack: b === "InPlace" ? null : transposeB ? "packBTransposed" : "packB",
    packedBytes,
    product: `product${a}${b}`,
    scratchBytes: scratchElements(a, rows, inner, panelWidth(lanes)) * lanes.size,
  };
}

/**
 * Packing pays where each element of B is read by more than one tile of rows. While B fits into the second-level cache, three tiles are
 * needed: 12 x 256 x 256 takes 73 µs in place and 77 µs packed, 32 x 256 x 256 takes 210 and 186 µs.
 */
function formOfB({ dtype, rows, columns, inner, transposeB, reusedB }: ProductSizes): FormOfB {
  if (transposeB || reusedB) return "Packed";
  const small = columns * inner * bytesPerElement(dtype) <= 2 ** 18;
  return rows <= (small ? 3 : 1) * TILE_ROWS ? "InPlace" : "Packed";
}

/**
 * Panels of A are read faster than rows, but packing them takes as long as 8 columns do. GFLOP/s in place and packed of 64 x 16 x 64 on
 * Node 20: 29 and 31 with fused multiply-add, 21.2 and 20.4 without; of 64 x 32 x 64: 29 and 35, 21.4 and 22.1; of 16 x 256 x 64: 29 and
 * 39, 21.4 and 23.7. On Node 24 the two are within 5 % of each other from 32 columns on.
 */
function formOfA({ rows, columns, transposeA }: ProductSizes): FormOfA {
  if (transposeA) return "Transposed";
  return rows >= TILE_ROWS && columns >= 32 ? "Blocks" : "Rows";
}

/** Places in scratch, in elements: the tile of edge columns, the panel of edge columns of B, and the block of A. */
export function scratchLayout(width: number): { readonly edgePanel: number; readonly blockOfA: number } {
  const edgePanel = BLOCK_ROWS * width;
  return { edgePanel, blockOfA: edgePanel + BLOCK_DEPTH * width };
}

function scratchElements(a: FormOfA, rows: number, inner: number, width: number): number {
  const { blockOfA } = scratchLayout(width);
  return a === "Rows" ? blockOfA : blockOfA + Math.min(roundUp(rows, TILE_ROWS), BLOCK_ROWS) * Math.min(inner, BLOCK_DEPTH);
}

function roundUp(x: number, unit: number): number {
  return Math.ceil(x / unit) * unit;
}
