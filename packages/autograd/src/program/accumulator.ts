import type { DType } from "../dtype.js";
import type { VectorArithmetic } from "../wasm/vectorArithmetic.js";
import type { ReductionKind } from "./kernel.js";

/**
 * What a kernel reduces into, in registers. Sums are taken in float64, as eager ones are: two vectors of float64 for one of float32, and a
 * scalar for the elements that fill no vector.
 */
export class Accumulator {
  private readonly m: VectorArithmetic;
  private readonly kind: ReductionKind;
  private readonly vectors: readonly number[];
  private readonly scalar: number;

  constructor(m: VectorArithmetic, kind: ReductionKind) {
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

  /** Brings all together and writes the result. */
  store(pointer: number, dtype: DType): void {
    const { m, scalar } = this;
    const { f } = m;
    const float64 = this.kind === "sum" || m.dtype === "float64";
    for (const vector of this.vectors) {
      for (let lane = 0; lane < (float64 ? 2 : 4); lane++) {
        f.get(scalar).get(vector);
        f.lane(float64 ? "f64x2.extract_lane" : "f32x4.extract_lane", lane)
          .op(this.scalarOp)
          .set(scalar);
      }
    }
    f.get(pointer).get(scalar);
    if (dtype === "float64" && !float64) f.op("f64.promote_f32");
    if (dtype === "float32" && float64) f.op("f32.demote_f64");
    f.memory(dtype === "float64" ? "f64.store" : "f32.store");
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
