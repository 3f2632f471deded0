import { lanesOf, panelWidth, type ProductMode, TILE_ROWS } from "./lanes.js";

/** Rows of A that are multiplied at a time: packed, with DEPTH of them, they stay in the second-level cache. */
export const BLOCK_ROWS = 64;

/** The longest stretch of k that is summed up in registers: a panel of B and a tile of A stay in the first-level cache. */
export const BLOCK_DEPTH = 384;

/** How A is read: in place, or packed into panels block by block out of rows or columns. */
export type FormOfA = "Rows" | "Blocks" | "Transposed";
export type FormOfB = "Packed" | "InPlace";
export type ProductFunction = `product${FormOfA}${FormOfB}`;

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
  readonly scratchBytes: number;
}

export function planProduct(sizes: ProductSizes): ProductPlan {
  const { rows, columns, inner, transposeB } = sizes;
  const b = formOfB(sizes);
  const a = formOfA(sizes, b);
  const lanes = lanesOf(sizes);
  const packedBytes = b === "Packed" ? roundUp(columns, panelWidth(lanes)) * inner * lanes.size : 0;
  return {
    pack: b === "InPlace" ? null : transposeB ? "packBTransposed" : "packB",
    packedBytes,
    product: `product${a}${b}`,
    scratchBytes: scratchElements(a, rows, inner, panelWidth(lanes)) * lanes.size,
  };
}

function formOfB({ rows, transposeB, reusedB }: ProductSizes): FormOfB {
  return transposeB || reusedB || rows > TILE_ROWS ? "Packed" : "InPlace";
}

function formOfA({ rows, columns, transposeA }: ProductSizes, b: FormOfB): FormOfA {
  if (transposeA) return "Transposed";
  return b === "Packed" && rows >= BLOCK_ROWS && columns >= 64 ? "Blocks" : "Rows";
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
