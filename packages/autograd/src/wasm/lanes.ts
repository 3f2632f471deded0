import type { FunctionBuilder, ValueType } from "./assembler.js";
import { constants, splat } from "./constants.js";

/** The floating-point types that kernels compute in. */
export type LaneType = "float32" | "float64";

export interface LaneOptions {
  readonly dtype: LaneType;
  /** How many elements a value holds: those of a vector (4 of float32, 2 of float64), or 1. */
  readonly lanes: 1 | 2 | 4;
  /** Whether `madd` may be the relaxed instruction. Vectors only. */
  readonly relaxedMadd: boolean;
}

type FloatPrefix = "f32" | "f64" | "f32x4" | "f64x2";
type FloatUnary = "abs" | "neg" | "sqrt" | "floor" | "trunc";
type FloatBinary = "add" | "sub" | "mul" | "div" | "min" | "max";
type FloatComparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";
type Shift = "shl" | "shr_u";
type Bitwise = "and" | "or" | "xor";

const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 0, 0, 0];
export const LOWER_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const EVEN_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];

/**
 * Arithmetic on numbers of locals: each method appends its instructions to a function and gives the local that will hold the result. With
 * one lane every value is a scalar, with the same operations in the same order, so that an element's bits do not depend on where it
 * stands. A condition is a mask of ones and zeros, or an i32 of 1 or 0.
 */
export class Lanes {
  readonly f: FunctionBuilder;
  readonly dtype: LaneType;
  readonly lanes: number;
  readonly relaxedMadd: boolean;
  private readonly prefix: FloatPrefix;
  private widened: Lanes | null = null;
  private readonly conditions = new Set<number>();
  private readonly taken: number[] = [];
  private readonly free: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };

  constructor(f: FunctionBuilder, { dtype, lanes, relaxedMadd }: LaneOptions) {
    const full = dtype === "float32" ? 4 : 2;
    if (lanes !== 1 && lanes !== full) throw new Error(`a vector of ${dtype} has ${full} lanes, got ${lanes}`);
    if (lanes === 1 && relaxedMadd) throw new Error("relaxedMadd: there is no scalar multiply-add that rounds as a vector's does");
    this.f = f;
    this.dtype = dtype;
    this.lanes = lanes;
    this.relaxedMadd = relaxedMadd;
    this.prefix = dtype === "float32" ? (lanes === 1 ? "f32" : "f32x4") : lanes === 1 ? "f64" : "f64x2";
  }

  get vector(): boolean {
    return this.lanes > 1;
  }

  /** The type of a value's local. */
  get valueType(): ValueType {
    if (this.vector) return "v128";
    return this.dtype === "float32" ? "f32" : "f64";
  }

  /** The type of a condition's local. */
  get conditionType(): ValueType {
    return this.vector ? "v128" : "i32";
  }

  /** Emits what `body` emits, and gives back all locals that it took but those that it returns. */
  scope<T extends number | readonly number[]>(body: () => T): T {
    const start = this.taken.length;
    const result = body();
    for (const local of this.taken.splice(start)) {
      if (local === result || (typeof result === "object" && result.includes(local))) this.taken.push(local);
      else this.release(local);
    }
    return result;
  }

  /** A local that may have served before. */
  take(type: ValueType): number {
    const local = this.free[type].pop() ?? this.f.local(type);
    this.taken.push(local);
    return local;
  }

  private release(local: number): void {
    this.conditions.delete(local);
    this.free[this.f.typeOf(local)].push(local);
  }

  /** Takes the value on the stack into a local. */
  protected set(type: ValueType): number {
    const local = this.take(type);
    this.f.set(local);
    return local;
  }

  protected setValue(): number {
    return this.set(this.valueType);
  }

  protected setCondition(): number {
    const local = this.set(this.conditionType);
    this.conditions.add(local);
    return local;
  }

  const(x: number): number {
    if (this.vector) return this.constantVector(this.dtype, x);
    if (this.dtype === "float32") this.f.f32(x);
    else this.f.f64(x);
    return this.setValue();
  }

  private constantVector(type: "float32" | "float64" | "int32" | "int64", x: number | bigint): number {
    const address = constants.address(type, x);
    if (address === null) this.f.v128(splat(type, x));
    else this.f.i32(0).memory("v128.load", address);
    return this.set("v128");
  }

  where(c: number, x: number, y: number): number {
    const condition = this.toCondition(c);
    this.f
      .get(x)
      .get(y)
      .get(condition)
      .op(this.vector ? "v128.bitselect" : "select");
    return this.setValue();
  }

  /** A local of its own that holds x, to be assigned to. */
  copy(x: number): number {
    this.f.get(x);
    return this.setValue();
  }

  assign(local: number, x: number): void {
    this.f.get(x).set(local);
  }

  /** An i32: 1 if the condition fails on some lane, else 0. */
  anyFalse(c: number): number {
    this.f.get(c);
    if (this.vector) this.f.op(this.dtype === "float32" ? "i32x4.all_true" : "i64x2.all_true");
    this.f.op("i32.eqz");
    return this.set("i32");
  }

  /** Runs what `body` emits if the i32 is not 0. */
  ifAny(flag: number, body: () => void): void {
    this.f.get(flag).if(() => {
      this.scope(() => {
        body();
        return [];
      });
    });
  }

  private unary(name: FloatUnary, x: number): number {
    this.f.get(x).op(`${this.prefix}.${name}`);
    return this.setValue();
  }

  private binary(name: FloatBinary, x: number, y: number): number {
    this.f.get(x).get(y).op(`${this.prefix}.${name}`);
    return this.setValue();
  }

  private compare(name: FloatComparison, x: number, y: number): number {
    this.f.get(x).get(y).op(`${this.prefix}.${name}`);
    return this.setCondition();
  }

  neg(x: number): number {
    return this.unary("neg", x);
  }

  sqrt(x: number): number {
    return this.unary("sqrt", x);
  }

  abs(x: number): number {
    return this.unary("abs", x);
  }

  /** x as an int32 array would hold it: truncated, modulo 2^32; in float64 alone. No number stays none, and is stored as 0. */
  toInteger(x: number): number {
    return this.scope(() => {
      // Dividing by a power of two is exact, and so are both differences, whatever x is.
      const modulo = (y: number, unit: number): number =>
        this.sub(y, this.mul(this.const(2 ** 32), this.unary("floor", this.mul(y, this.const(unit)))));
      return modulo(modulo(this.unary("trunc", x), 2 ** -32), 2 ** -31);
    });
  }

  add(x: number, y: number): number {
    return this.binary("add", x, y);
  }

  sub(x: number, y: number): number {
    return this.binary("sub", x, y);
  }

  mul(x: number, y: number): number {
    return this.binary("mul", x, y);
  }

  div(x: number, y: number): number {
    return this.binary("div", x, y);
  }

  /** NaN if either is, and 0 above -0. */
  maximum(x: number, y: number): number {
    return this.binary("max", x, y);
  }

  minimum(x: number, y: number): number {
    return this.binary("min", x, y);
  }

  eq(x: number, y: number): number {
    return this.compare("eq", x, y);
  }

  ne(x: number, y: number): number {
    return this.compare("ne", x, y);
  }

  lt(x: number, y: number): number {
    return this.compare("lt", x, y);
  }

  le(x: number, y: number): number {
    return this.compare("le", x, y);
  }

  gt(x: number, y: number): number {
    return this.compare("gt", x, y);
  }

  ge(x: number, y: number): number {
    return this.compare("ge", x, y);
  }

  /** x if it is NaN or at most `limit`, else `limit`. One instruction, where `minimum` takes eight. */
  atMost(x: number, limit: number): number {
    return this.clamp("pmin", "gt", x, this.const(limit));
  }

  /** x if it is NaN or at least `limit`, else `limit`. */
  atLeast(x: number, limit: number): number {
    return this.clamp("pmax", "lt", x, this.const(limit));
  }

  private clamp(name: "pmin" | "pmax", beyond: "gt" | "lt", x: number, limit: number): number {
    if (!this.vector) return this.where(this.compare(beyond, x, limit), limit, x);
    // The order matters: pmin(x, limit) is x where x is NaN, pmin(limit, x) is limit.
    this.f
      .get(x)
      .get(limit)
      .op(this.dtype === "float32" ? `f32x4.${name}` : `f64x2.${name}`);
    return this.setValue();
  }

  /** a * b + c, rounded once or twice. */
  madd(a: number, b: number, c: number): number {
    return this.relaxedMadd ? this.relaxed("relaxed_madd", a, b, c) : this.add(this.mul(a, b), c);
  }

  /** c - a * b, rounded once or twice. */
  nmadd(a: number, b: number, c: number): number {
    return this.relaxedMadd ? this.relaxed("relaxed_nmadd", a, b, c) : this.sub(c, this.mul(a, b));
  }

  private relaxed(name: "relaxed_madd" | "relaxed_nmadd", a: number, b: number, c: number): number {
    this.f
      .get(a)
      .get(b)
      .get(c)
      .op(this.dtype === "float32" ? `f32x4.${name}` : `f64x2.${name}`);
    return this.setValue();
  }

  /**
   * A polynomial, constant term first, by halves (Estrin): more than one multiply-add is under way at a time. `square` is x².
   */
  polynomial(x: number, square: number, coefficients: readonly number[]): number {
    return this.scope(() => {
      const powers = [x, square];
      for (let size = 4; size < coefficients.length; size *= 2) powers.push(this.mul(powers.at(-1)!, powers.at(-1)!));
      return this.halves(powers, coefficients);
    });
  }

  /** `powers` holds x to the powers 1, 2, 4 and so on, as far as they are needed. */
  private halves(powers: readonly number[], coefficients: readonly number[]): number {
    if (coefficients.length === 1) return this.const(coefficients[0]!);
    const level = Math.ceil(Math.log2(coefficients.length)) - 1;
    return this.scope(() => {
      const high = this.halves(powers, coefficients.slice(2 ** level));
      return this.madd(high, powers[level]!, this.halves(powers, coefficients.slice(0, 2 ** level)));
    });
  }

  logicalAnd(x: number, y: number): number {
    return this.logical("and", x, y);
  }

  logicalOr(x: number, y: number): number {
    return this.logical("or", x, y);
  }

  logicalXor(x: number, y: number): number {
    return this.logical("xor", x, y);
  }

  logicalNot(x: number): number {
    this.f.get(this.toCondition(x)).op(this.vector ? "v128.not" : "i32.eqz");
    return this.setCondition();
  }

  private logical(name: Bitwise, x: number, y: number): number {
    const [a, b] = [this.toCondition(x), this.toCondition(y)];
    this.f
      .get(a)
      .get(b)
      .op(this.vector ? `v128.${name}` : `i32.${name}`);
    return this.setCondition();
  }

  /** A number as a condition: false for 0, true for anything else and for NaN. A condition is one already. */
  toCondition(x: number): number {
    if (this.conditions.has(x)) return x;
    if (!this.vector && this.f.typeOf(x) === "i32") return x;
    return this.ne(x, this.const(0));
  }

  /** A condition as 1 or 0. */
  toNumber(c: number): number {
    const one = this.const(1);
    if (!this.vector) return this.where(c, one, this.const(0));
    this.f.get(c).get(one).op("v128.and");
    return this.setValue();
  }

  /** The bits of x as an integer of its size, for the methods below. */
  bitsOf(x: number): number {
    if (this.vector) return x;
    this.f.get(x).op(this.dtype === "float32" ? "i32.reinterpret_f32" : "i64.reinterpret_f64");
    return this.setInteger();
  }

  fromBits(x: number): number {
    if (this.vector) return x;
    this.f.get(x).op(this.dtype === "float32" ? "f32.reinterpret_i32" : "f64.reinterpret_i64");
    return this.setValue();
  }

  integer(x: number | bigint): number {
    if (this.vector) return this.constantVector(this.dtype === "float32" ? "int32" : "int64", x);
    if (this.dtype === "float32") this.f.i32(Number(x));
    else this.f.i64(BigInt(x));
    return this.setInteger();
  }

  integerAdd(x: number, y: number): number {
    return this.integerBinary("add", x, y);
  }

  integerSub(x: number, y: number): number {
    return this.integerBinary("sub", x, y);
  }

  private integerBinary(name: "add" | "sub", x: number, y: number): number {
    this.f.get(x).get(y).op(`${this.integerPrefix}.${name}`);
    return this.setInteger();
  }

  bitwise(name: Bitwise, x: number, y: number): number {
    const prefix = this.vector ? "v128" : this.dtype === "float32" ? "i32" : "i64";
    this.f.get(x).get(y).op(`${prefix}.${name}`);
    return this.setInteger();
  }

  shift(name: Shift, x: number, bits: number): number {
    this.f.get(x);
    if (!this.vector && this.dtype === "float64") this.f.i64(BigInt(bits));
    else this.f.i32(bits);
    this.f.op(`${this.integerPrefix}.${name}`);
    return this.setInteger();
  }

  /** Elements of float32 as float64, in locals of `wide`: two vectors, the lower lanes first, or one scalar. */
  widen(x: number): number[] {
    const { f, wide } = this;
    if (!this.vector) {
      f.get(x).op("f64.promote_f32");
      return [wide.setValue()];
    }
    f.get(x).op("f64x2.promote_low_f32x4");
    const low = wide.setValue();
    f.get(x)
      .get(x)
      .shuffle(...UPPER_HALF)
      .op("f64x2.promote_low_f32x4");
    return [low, wide.setValue()];
  }

  /** Back from `widen`, rounded. */
  narrow(halves: readonly number[]): number {
    const [low, high] = halves as [number, number];
    if (!this.vector) this.f.get(low).op("f32.demote_f64");
    else
      this.f
        .get(low)
        .op("f32x4.demote_f64x2_zero")
        .get(high)
        .op("f32x4.demote_f64x2_zero")
        .shuffle(...LOWER_HALVES);
    return this.setValue();
  }

  /** The lower 32 bits of each float64 of `widen`, as integers. */
  lowWords(halves: readonly number[]): number {
    const [low, high] = halves as [number, number];
    if (!this.vector) this.f.get(low).op("i64.reinterpret_f64").op("i32.wrap_i64");
    else
      this.f
        .get(low)
        .get(high)
        .shuffle(...EVEN_WORDS);
    return this.setInteger();
  }

  /** The same function with float64 lanes: of a vector of float32 half as many. */
  get wide(): Lanes {
    return (this.widened ??= new Lanes(this.f, { dtype: "float64", lanes: this.vector ? 2 : 1, relaxedMadd: this.relaxedMadd }));
  }

  private get integerPrefix(): "i32" | "i64" | "i32x4" | "i64x2" {
    if (this.dtype === "float32") return this.vector ? "i32x4" : "i32";
    return this.vector ? "i64x2" : "i64";
  }

  private setInteger(): number {
    if (this.vector) return this.set("v128");
    return this.set(this.dtype === "float32" ? "i32" : "i64");
  }
}
