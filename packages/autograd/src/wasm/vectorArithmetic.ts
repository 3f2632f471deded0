import type { DType } from "../dtype.js";
import type { FunctionBuilder } from "./assembler.js";
import { exponential, exponentialMinusOne } from "./exponential.js";
import { hyperbolicTangent, logistic } from "./hyperbolic.js";
import { Lanes, LOWER_HALVES, type LaneOptions } from "./lanes.js";
import { logarithm, logarithmOfOnePlus, logarithmOfOnePlusExp } from "./logarithm.js";
import { cosineOfReducible, REDUCIBLE, sineOfReducible } from "./trigonometric.js";

/** Functions that kernels import: sin and cos far from 0, and pow as IEEE 754 has it. They take and give float64. */
export type ImportedMath = "sin" | "cos" | "pow";

export interface VectorOptions extends LaneOptions {
  /** The number of an imported function; asked for when the first instruction that calls it is emitted. */
  readonly importMath?: (name: ImportedMath) => number;
}

/** The bytes of a mask of float32 (float64) lanes that hold its truth. */
const MASK_BYTES = { float32: [0, 4, 8, 12], float64: [0, 8] } as const;

/**
 * The arithmetic of elementwise rules as instructions of a vector kernel: fits `Arithmetic<number, number>` but for `when`. Values and
 * conditions are numbers of locals (see `Lanes`), addresses those of locals that hold bytes.
 */
export class VectorArithmetic extends Lanes {
  private readonly importMath: ((name: ImportedMath) => number) | undefined;

  constructor(f: FunctionBuilder, options: VectorOptions) {
    super(f, options);
    this.importMath = options.importMath;
  }

  exp(x: number): number {
    return exponential(this, x);
  }

  expm1(x: number): number {
    return exponentialMinusOne(this, x);
  }

  log(x: number): number {
    return logarithm(this, x);
  }

  log1p(x: number): number {
    return logarithmOfOnePlus(this, x);
  }

  tanh(x: number): number {
    return hyperbolicTangent(this, x);
  }

  /** 1 / (1 + exp(-x)), by itself rather than by its rule: accurate where exp(-x) overflows. */
  sigmoid(x: number): number {
    return logistic(this, x);
  }

  /** log(1 + exp(x)), in fewer instructions than its rule. */
  softplus(x: number): number {
    return logarithmOfOnePlusExp(this, x);
  }

  /** max(x, 0), in fewer instructions than `maximum`. */
  relu(x: number): number {
    // -0 + 0 is 0, as the maximum of -0 and 0 is.
    return this.scope(() => this.add(this.atLeast(x, 0), this.const(0)));
  }

  sin(x: number): number {
    return this.withFallback("sin", x, sineOfReducible(this, x));
  }

  cos(x: number): number {
    return this.withFallback("cos", x, cosineOfReducible(this, x));
  }

  pow(x: number, y: number): number {
    return this.perLane("pow", x, y);
  }

  /** -1, 0 or 1; 0, -0 and NaN as they are. */
  sign(x: number): number {
    return this.scope(() => {
      const zero = this.const(0);
      const negative = this.where(this.lt(x, zero), this.const(-1), x);
      return this.where(this.gt(x, zero), this.const(1), negative);
    });
  }

  /** Elements from an array of any dtype, by default of the arithmetic's own. */
  load(address: number, offset = 0, from: DType = this.dtype): number {
    if (from === "bool") return this.scope(() => this.toNumber(this.loadMask(address, offset)));
    if (!this.vector) this.loadScalar(address, offset, from);
    else if (this.dtype === "float32") this.loadFour(address, offset, from);
    else this.loadTwo(address, offset, from);
    return this.setValue();
  }

  /** One element of an array of any dtype in all lanes. */
  loadSplat(address: number, offset = 0, from: DType = this.dtype): number {
    if (from === this.dtype && this.vector) {
      this.f.get(address).memory(from === "float32" ? "v128.load32_splat" : "v128.load64_splat", offset);
      return this.setValue();
    }
    this.loadScalar(address, offset, from);
    if (this.vector) this.f.op(this.dtype === "float32" ? "f32x4.splat" : "f64x2.splat");
    return this.setValue();
  }

  store(address: number, x: number, offset = 0): void {
    this.f.get(address).get(x);
    if (this.vector) this.f.memory("v128.store", offset);
    else this.f.memory(this.dtype === "float32" ? "f32.store" : "f64.store", offset);
  }

  /**
   * One element, that of the first lane. With `loadSplat` a vector kernel does the rest of its elements one by one, with the bits that they
   * would have had in a whole vector, even where multiply-adds are relaxed.
   */
  storeFirst(address: number, x: number, offset = 0): void {
    if (!this.vector) return this.store(address, x, offset);
    const float32 = this.dtype === "float32";
    this.f.get(address).get(x);
    this.f.lane(float32 ? "f32x4.extract_lane" : "f64x2.extract_lane", 0).memory(float32 ? "f32.store" : "f64.store", offset);
  }

  /** What `toInteger` gives, as int32. */
  storeIntegers(address: number, x: number): void {
    if (!this.vector) return this.storeFirstInteger(address, x);
    this.f.get(address).get(x).op("i32x4.trunc_sat_f64x2_s_zero").lane("i64x2.extract_lane", 0).memory("i64.store");
  }

  storeFirstInteger(address: number, x: number): void {
    this.f.get(address).get(x);
    if (this.vector) this.f.lane("f64x2.extract_lane", 0);
    this.f.op("i32.trunc_sat_f64_s").memory("i32.store");
  }

  /** Conditions from an array of bool: a byte an element, 0 or 1. */
  loadMask(address: number, offset = 0): number {
    this.f.get(address);
    if (!this.vector) this.f.memory("i32.load8_u", offset);
    else if (this.dtype === "float32")
      this.f.memory("v128.load32_zero", offset).op("i16x8.extend_low_i8x16_u").op("i32x4.extend_low_i16x8_u");
    else this.loadTwoBytes(offset);
    return this.truth();
  }

  /** One element of an array of bool as the condition of all lanes. */
  loadMaskSplat(address: number, offset = 0): number {
    this.f.get(address).memory("i32.load8_u", offset);
    if (this.vector) this.f.op("i32x4.splat");
    return this.truth();
  }

  /** The condition of the first lane as a byte. */
  storeFirstMask(address: number, c: number, offset = 0): void {
    if (!this.vector) return this.storeMask(address, c, offset);
    this.f.get(address).get(c).lane("i32x4.extract_lane", 0).i32(1).op("i32.and").memory("i32.store8", offset);
  }

  /** As bytes of 0 and 1. */
  storeMask(address: number, c: number, offset = 0): void {
    this.f.get(address).get(c);
    if (!this.vector) return void this.f.memory("i32.store8", offset);
    const bytes = MASK_BYTES[this.dtype];
    // Bytes of 0 and -1 become bits of 1 each.
    this.f.get(c).shuffle(...Array.from({ length: 16 }, (_, k) => bytes[k % bytes.length]!));
    this.f.lane("i32x4.extract_lane", 0).i32(0x01010101).op("i32.and");
    this.f.memory(this.dtype === "float32" ? "i32.store" : "i32.store16", offset);
  }

  private loadScalar(address: number, offset: number, from: DType): void {
    this.f.get(address);
    const float32 = this.dtype === "float32";
    switch (from) {
      case "float32":
        this.f.memory("f32.load", offset);
        return void (float32 || this.f.op("f64.promote_f32"));
      case "float64":
        this.f.memory("f64.load", offset);
        return void (float32 && this.f.op("f32.demote_f64"));
      case "int32":
      case "bool":
        this.f.memory(from === "bool" ? "i32.load8_u" : "i32.load", offset);
        return void this.f.op(float32 ? "f32.convert_i32_s" : "f64.convert_i32_s");
    }
  }

  private loadFour(address: number, offset: number, from: "float32" | "float64" | "int32"): void {
    this.f.get(address).memory("v128.load", offset);
    if (from === "int32") this.f.op("f32x4.convert_i32x4_s");
    if (from !== "float64") return;
    this.f.op("f32x4.demote_f64x2_zero");
    this.f
      .get(address)
      .memory("v128.load", offset + 16)
      .op("f32x4.demote_f64x2_zero")
      .shuffle(...LOWER_HALVES);
  }

  private loadTwo(address: number, offset: number, from: "float32" | "float64" | "int32"): void {
    this.f.get(address);
    if (from === "float64") this.f.memory("v128.load", offset);
    else this.f.memory("v128.load64_zero", offset).op(from === "float32" ? "f64x2.promote_low_f32x4" : "f64x2.convert_low_i32x4_s");
  }

  private loadTwoBytes(offset: number): void {
    this.f.memory("i32.load16_u", offset).op("i32x4.splat");
    this.f.op("i16x8.extend_low_i8x16_u").op("i32x4.extend_low_i16x8_u").op("i64x2.extend_low_i32x4_u");
  }

  /** The integers on the stack as a condition. */
  private truth(): number {
    if (!this.vector) this.f.i32(0).op("i32.ne");
    else this.f.get(this.integer(0)).op(this.dtype === "float32" ? "i32x4.ne" : "i64x2.ne");
    return this.setCondition();
  }

  /** `out`, but the imported function's results where |x| is too large for the vector form. */
  private withFallback(name: ImportedMath, x: number, out: number): number {
    return this.scope(() => {
      const far = this.gt(this.abs(x), this.const(REDUCIBLE));
      this.f.get(far);
      if (this.vector) this.f.op("v128.any_true");
      this.f.if(() => {
        this.f.get(this.scope(() => this.where(far, this.perLane(name, x), out))).set(out);
      });
      return out;
    });
  }

  private perLane(name: ImportedMath, ...operands: readonly number[]): number {
    if (this.importMath === undefined) throw new Error(`${name}: the kernel imports no functions; pass importMath`);
    const index = this.importMath(name);
    const out = this.take(this.valueType);
    this.f.get(operands[0]!).set(out);
    for (let lane = 0; lane < this.lanes; lane++) this.callOnLane(index, lane, operands, out);
    return out;
  }

  private callOnLane(index: number, lane: number, operands: readonly number[], out: number): void {
    const { f, vector } = this;
    const float32 = this.dtype === "float32";
    if (vector) f.get(out);
    for (const x of operands) {
      f.get(x);
      if (vector) f.lane(float32 ? "f32x4.extract_lane" : "f64x2.extract_lane", lane);
      if (float32) f.op("f64.promote_f32");
    }
    f.call(index);
    if (float32) f.op("f32.demote_f64");
    if (vector) f.lane(float32 ? "f32x4.replace_lane" : "f64x2.replace_lane", lane);
    f.set(out);
  }
}
