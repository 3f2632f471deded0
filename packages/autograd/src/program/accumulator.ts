import type { DType } from "../dtype.js";
import type { FunctionBuilder } from "../wasm/assembler.js";
import type { LaneType } from "../wasm/lanes.js";
import type { VectorArithmetic } from "../wasm/vectorArithmetic.js";
import type { FirstKind, FoldKind } from "./kernel.js";

/**
 * What a kernel reduces into, in registers. Sums are taken in float64, as eager ones are: two vectors of float64 for one of float32, and a
 * scalar for the elements that fill no vector.
 */
export class Accumulator {
  private readonly m: VectorArithmetic;
  private readonly kind: FoldKind;
  private readonly vectors: readonly number[];
  private readonly scalar: number;

  constructor(m: VectorArithmetic, kind: FoldKind) {
    const { f } = m;
    this.m = m;
    this.kind = kind;
    const sums = kind === "sum";
    const count = m.vector ? (sums && m.dtype === "float32" ? 2 : 1) : 0;
    this.vectors = Array.from({ length: count }, () => f.local("v128"));
    this.scalar = f.local(sums || m.dtype === "float64" ? "f64" : "f32");
    const start = sums ? 0 : kind === "max" ? -Infinity : Infinity;
    for (const vector of this.vectors) {
      if (sums || m.dtype === "float64") f.f64(start).op("f64x2.splat");
      else f.f32(start).op("f32x4.splat");
      f.set(vector);
    }
    if (sums || m.dtype === "float64") f.f64(start);
    else f.f32(start);
    f.set(this.scalar);
  }

  add(x: number, whole: boolean): void {
    const { m, vectors } = this;
    const { f } = m;
    if (whole) {
      const parts = this.kind === "sum" && m.dtype === "float32" ? m.widen(x) : [x];
      parts.forEach((part, k) => {
        f.get(vectors[k] as number)
          .get(part)
          .op(this.vectorOp)
          .set(vectors[k] as number);
      });
      return;
    }
    f.get(this.scalar).get(x);
    if (m.vector) f.lane(m.dtype === "float32" ? "f32x4.extract_lane" : "f64x2.extract_lane", 0);
    if (this.kind === "sum" && m.dtype === "float32") f.op("f64.promote_f32");
    f.op(this.scalarOp).set(this.scalar);
  }

  /** Brings all together, once; several results may be written of it. */
  finish(): void {
    const { m, scalar, inFloat64 } = this;
    const { f } = m;
    for (const vector of this.vectors) {
      for (let lane = 0; lane < (inFloat64 ? 2 : 4); lane++) {
        f.get(scalar).get(vector);
        f.lane(inFloat64 ? "f64x2.extract_lane" : "f32x4.extract_lane", lane)
          .op(this.scalarOp)
          .set(scalar);
      }
    }
  }

  store(pointer: number, dtype: DType): void {
    const { f } = this.m;
    f.get(pointer).get(this.scalar);
    storeScalar(f, this.inFloat64 ? "float64" : "float32", dtype);
  }

  private get inFloat64(): boolean {
    return this.kind === "sum" || this.m.dtype === "float64";
  }

  private get vectorOp() {
    if (this.kind === "sum") return "f64x2.add";
    return this.m.dtype === "float32" ? (`f32x4.${this.kind}` as const) : (`f64x2.${this.kind}` as const);
  }

  private get scalarOp() {
    if (this.kind === "sum") return "f64.add";
    return this.m.dtype === "float32" ? (`f32.${this.kind}` as const) : (`f64.${this.kind}` as const);
  }
}

/** Stores a float on the stack under the address below it. */
function storeScalar(f: FunctionBuilder, from: LaneType, to: DType): void {
  if (from === "float32" && to !== "float32") f.op("f64.promote_f32");
  if (from === "float64" && to === "float32") f.op("f32.demote_f64");
  switch (to) {
    case "float64":
    case "float32":
      return void f.memory(to === "float64" ? "f64.store" : "f32.store");
    // Sums of int32 wrap around: those that fit a memory are within 64 bits.
    case "int32":
    case "bool":
      f.op("i64.trunc_sat_f64_s").op("i32.wrap_i64");
      f.memory(to === "int32" ? "i32.store" : "i32.store8");
  }
}

/** The largest or smallest element of a row, the first of equal ones or the first NaN, and its position: one element at a time. */
export class FirstExtreme {
  private readonly m: VectorArithmetic;
  private readonly kind: FirstKind;
  private readonly best: number;
  private readonly at: number;
  private readonly count: number;

  constructor(m: VectorArithmetic, kind: FirstKind) {
    const { f } = m;
    this.m = m;
    this.kind = kind;
    [this.best, this.at, this.count] = [f.local(m.valueType), f.local("i32"), f.local("i32")];
    const start = kind === "firstMax" ? -Infinity : Infinity;
    if (m.dtype === "float32") f.f32(start);
    else f.f64(start);
    f.set(this.best).i32(0).set(this.at).i32(0).set(this.count);
  }

  add(x: number): void {
    const { m, best, at, count } = this;
    const { f } = m;
    const type = m.dtype === "float32" ? "f32" : "f64";
    // Not (x at most best) is true where x is NaN; a best one that is NaN stays.
    f.get(x)
      .get(best)
      .op(`${type}.${this.kind === "firstMax" ? "le" : "ge"}`)
      .op("i32.eqz");
    f.get(best).get(best).op(`${type}.eq`).op("i32.and");
    f.if(() => f.get(x).set(best).get(count).set(at));
    f.get(count).i32(1).op("i32.add").set(count);
  }

  store(pointer: number, dtype: DType, position: boolean): void {
    const { f } = this.m;
    f.get(pointer).get(position ? this.at : this.best);
    if (position) f.memory("i32.store");
    else storeScalar(f, this.m.dtype, dtype);
  }
}
