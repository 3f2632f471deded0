import { type FunctionBuilder, type ValueType } from "../assembler.js";
import { type MemoryOpcode, type Opcode } from "../opcodes.js";

export interface ProductMode {
  readonly dtype: "float32" | "float64";
  /** 128-bit vectors; without them vectors have one lane. */
  readonly simd: boolean;
  /** Fused multiply-add of the relaxed vector instructions; says nothing without `simd`. */
  readonly relaxedMadd: boolean;
}

/** How the vectors of a mode are loaded, multiplied and stored. Kernels are written once for any number of lanes. */
export interface Lanes {
  readonly type: ValueType;
  /** Elements in a vector. */
  readonly count: number;
  /** Bytes of an element. */
  readonly size: number;
  /** Bytes of a vector. */
  readonly bytes: number;
  readonly load: MemoryOpcode;
  readonly store: MemoryOpcode;
  /** One element into all lanes. */
  readonly splat: MemoryOpcode;
  readonly loadOne: MemoryOpcode;
  readonly storeOne: MemoryOpcode;
  zero(f: FunctionBuilder): void;
  /** sum += x y, each a local. */
  multiplyAdd(f: FunctionBuilder, sum: number, x: number, y: number): void;
}

const SIMD = {
  float32: { count: 4, size: 4, splat: "v128.load32_splat", multiply: "f32x4.mul", add: "f32x4.add", madd: "f32x4.relaxed_madd" },
  float64: { count: 2, size: 8, splat: "v128.load64_splat", multiply: "f64x2.mul", add: "f64x2.add", madd: "f64x2.relaxed_madd" },
} as const;

const ONE = {
  float32: { type: "f32", load: "f32.load", store: "f32.store", multiply: "f32.mul", add: "f32.add", size: 4 },
  float64: { type: "f64", load: "f64.load", store: "f64.store", multiply: "f64.mul", add: "f64.add", size: 8 },
} as const;

export function lanesOf({ dtype, simd, relaxedMadd }: ProductMode): Lanes {
  return simd ? vectorLanes(dtype, relaxedMadd) : singleLane(dtype);
}

function vectorLanes(dtype: ProductMode["dtype"], fused: boolean): Lanes {
  const { count, size, splat, multiply, add, madd } = SIMD[dtype];
  const { load: loadOne, store: storeOne } = ONE[dtype];
  return {
    type: "v128",
    count,
    size,
    bytes: 16,
    load: "v128.load",
    store: "v128.store",
    splat,
    loadOne,
    storeOne,
    zero: (f) => f.v128(new Uint8Array(16)),
    multiplyAdd: (f, sum, x, y) => (fused ? f.get(x).get(y).get(sum).op(madd).set(sum) : separate(f, sum, x, y, multiply, add)),
  };
}

function singleLane(dtype: ProductMode["dtype"]): Lanes {
  const { type, load, store, multiply, add, size } = ONE[dtype];
  return {
    type,
    count: 1,
    size,
    bytes: size,
    load,
    store,
    splat: load,
    loadOne: load,
    storeOne: store,
    zero: (f) => (dtype === "float32" ? f.f32(0) : f.f64(0)),
    multiplyAdd: (f, sum, x, y) => separate(f, sum, x, y, multiply, add),
  };
}

function separate(f: FunctionBuilder, sum: number, x: number, y: number, multiply: Opcode, add: Opcode): void {
  f.get(sum).get(x).get(y).op(multiply).op(add).set(sum);
}

/** Rows of a full tile. */
export const TILE_ROWS = 4;

/** Vectors of B in a tile: 4 x 2 accumulators. Twelve spill, whichever way they lie. */
export const TILE_VECTORS = 2;

/** Columns of a tile, and of a panel of packed B. */
export function panelWidth(lanes: Pick<Lanes, "count">): number {
  return TILE_VECTORS * lanes.count;
}
