import type { Arithmetic } from "../ops/algebra.js";
import type { DType } from "../dtype.js";
import { bytesPerElement } from "../dtype.js";
import type { ElementwiseOp } from "../ops/op.js";
import { elementwise } from "../ops/table.js";
import { FunctionBuilder, type Label, type ValueType } from "../wasm/assembler.js";
import type { Features } from "../wasm/features.js";
import type { LaneType } from "../wasm/lanes.js";
import { Accumulator } from "./accumulator.js";
import { type ImportedMath, VectorArithmetic } from "../wasm/vectorArithmetic.js";

/** What a kernel computes with: an operand, a number, or the result of an operation before. */
export type Reference = readonly ["operand", number] | readonly ["number", string] | readonly ["result", number];

/** An array that a kernel reads or writes: how far it steps along each axis of the walk, in elements. */
interface Access {
  readonly dtype: DType;
  readonly strides: readonly number[];
}

export type ReductionKind = "sum" | "max" | "min";

/**
 * A fused kernel, as plain data: equal ones are emitted once. It walks all axes together; lengths come with the call, so that it serves
 * arrays of other lengths, too.
 */
export interface KernelSpec {
  readonly dtype: LaneType;
  readonly axes: number;
  readonly operands: readonly Access[];
  readonly operations: readonly { readonly op: string; readonly operands: readonly Reference[] }[];
  readonly results: readonly Result[];
  /** Axes from this one on are reduced, in those results that say how; their strides there are 0. Without reductions: `axes` + 1. */
  readonly reducedFrom: number;
}

export interface Result extends Access {
  readonly from: Reference;
  readonly reduction?: ReductionKind;
}

/** A number as text that keeps its sign and NaN. */
export function numberText(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

export type ImportMath = (name: ImportedMath) => number;

/** The function (lengths of the axes, addresses of operands, addresses of results). */
export function emitKernel(spec: KernelSpec, features: Features, importMath: ImportMath): FunctionBuilder {
  return new KernelEmitter(spec, features, importMath).f;
}

/** Functions of conditions, and the operands that `where` takes as one. */
const LOGICAL = new Set(["logicalAnd", "logicalOr", "logicalXor", "logicalNot"]);

function ruleOf(name: string | undefined): ElementwiseOp {
  const rules: Readonly<Record<string, ElementwiseOp>> = elementwise;
  const rule = name !== undefined && Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (rule === undefined) throw new Error(`internal: a kernel was to compute ${name}, which is no elementwise operation`);
  return rule;
}

class KernelEmitter {
  readonly f: FunctionBuilder;
  private readonly spec: KernelSpec;
  private readonly m: VectorArithmetic;
  private readonly lanes: number;
  /** Operands first, then results. */
  private readonly accesses: readonly Access[];
  /** Values that stay the same along the innermost axis. */
  private readonly fixed = new Map<number, number>();
  private readonly accumulators = new Map<Result, Accumulator>();

  constructor(spec: KernelSpec, { simd, relaxedMadd }: Features, importMath: ImportMath) {
    const { axes, operands, results, dtype } = spec;
    this.spec = spec;
    this.accesses = [...operands, ...results];
    this.f = new FunctionBuilder(new Array<ValueType>(axes + this.accesses.length).fill("i32"));
    const inner = this.accesses.map(({ strides }) => strides[axes - 1] ?? 0);
    const vector = simd && inner.every((stride) => stride === 0 || stride === 1);
    this.lanes = vector ? (dtype === "float32" ? 4 : 2) : 1;
    const lanes = this.lanes as 1 | 2 | 4;
    this.m = new VectorArithmetic(this.f, { dtype, lanes, relaxedMadd: vector && relaxedMadd, importMath });
    operands.forEach(({ strides }, k) => {
      if (strides.every((stride) => stride === 0)) this.fix(k);
    });
    this.axis(0);
  }

  /** Loops from an axis inwards. */
  private axis(axis: number): void {
    if (axis === this.spec.reducedFrom) this.startReductions();
    if (this.spec.axes === 0) this.element(false);
    else if (axis === this.spec.axes - 1) this.row();
    else this.outerAxis(axis);
    if (axis === this.spec.reducedFrom) this.endReductions();
  }

  private outerAxis(axis: number): void {
    const { f } = this;
    const count = f.local("i32");
    // What an address moves by after the axis within has been walked.
    const moves = this.accesses.map((access) => this.moveAfter(access, axis));
    f.get(axis).set(count);
    f.loop((again) => {
      this.axis(axis + 1);
      moves.forEach((move, k) => {
        if (move !== null) f.get(this.pointer(k)).get(move).op("i32.add").set(this.pointer(k));
      });
      f.get(count).i32(1).op("i32.sub").tee(count).brIf(again);
    });
  }

  private moveAfter({ dtype, strides }: Access, axis: number): number | null {
    const [outer, inner] = [strides[axis] as number, strides[axis + 1] as number];
    if (outer === 0 && inner === 0) return null;
    const { f } = this;
    const size = bytesPerElement(dtype);
    const move = f.local("i32");
    f.i32(outer * size);
    f.get(axis + 1)
      .i32(inner * size)
      .op("i32.mul");
    f.op("i32.sub").set(move);
    return move;
  }

  private pointer(access: number): number {
    return this.spec.axes + access;
  }

  /** The innermost axis: whole vectors, then the rest one element at a time, with the same instructions. */
  private row(): void {
    const { f, lanes } = this;
    const { axes, operands } = this.spec;
    const count = f.local("i32");
    const fixedHere = operands.flatMap(({ strides }, k) => (strides[axes - 1] === 0 && !this.fixed.has(k) ? [k] : []));
    for (const k of fixedHere) this.fix(k);
    f.get(axes - 1)
      .i32(Math.log2(lanes))
      .op("i32.shr_u")
      .tee(count);
    f.if(() => f.loop((again) => this.turn(lanes, count, again)));
    if (lanes > 1) {
      f.get(axes - 1)
        .i32(lanes - 1)
        .op("i32.and")
        .tee(count);
      f.if(() => f.loop((again) => this.turn(1, count, again)));
    }
    for (const k of fixedHere) this.fixed.delete(k);
  }

  private turn(elements: number, count: number, again: Label): void {
    const { f } = this;
    this.element(elements > 1);
    this.accesses.forEach(({ dtype, strides }, k) => {
      const stride = strides[this.spec.axes - 1] as number;
      if (stride === 0) return;
      f.get(this.pointer(k))
        .i32(elements * stride * bytesPerElement(dtype))
        .op("i32.add")
        .set(this.pointer(k));
    });
    f.get(count).i32(1).op("i32.sub").tee(count).brIf(again);
  }

  /** Loads an operand once, for all lanes. */
  private fix(k: number): void {
    this.fixed.set(k, this.load(k, false));
  }

  private load(k: number, whole: boolean): number {
    const { m } = this;
    const { dtype } = this.spec.operands[k] as Access;
    const pointer = this.pointer(k);
    if (dtype === "bool") return whole ? m.loadMask(pointer) : m.loadMaskSplat(pointer);
    return whole ? m.load(pointer, 0, dtype) : m.loadSplat(pointer, 0, dtype);
  }

  /** One vector of elements, or a single one in all lanes. */
  private element(whole: boolean): void {
    const { m, spec } = this;
    m.scope(() => {
      const loaded = spec.operands.map((_, k) => this.fixed.get(k) ?? this.load(k, whole));
      const computed: number[] = [];
      const at = ([kind, x]: Reference): number =>
        kind === "operand" ? (loaded[x] as number) : kind === "result" ? (computed[x] as number) : m.const(Number(x));
      for (const { op, operands } of spec.operations) {
        const given = operands.map((reference, k) =>
          this.takesCondition(op, k) ? at(reference) : this.asNumber(reference, at(reference)),
        );
        computed.push(this.operation(op, given));
      }
      spec.results.forEach((result, k) => {
        const x = at(result.from);
        if (result.reduction === undefined) this.store(spec.operands.length + k, result, x, whole);
        else this.accumulate(result, this.asNumber(result.from, x), whole);
      });
      return [];
    });
  }

  private takesCondition(op: string, k: number): boolean {
    return LOGICAL.has(op) || (op === "where" && k === 0);
  }

  /** A condition as 0 or 1 where arithmetic is done with it. */
  private asNumber([kind, k]: Reference, x: number): number {
    const { operands, operations } = this.spec;
    const isCondition =
      kind === "operand" ? operands[k]?.dtype === "bool" : kind === "result" && ruleOf(operations[k]?.op).result === "bool";
    return isCondition ? this.m.toNumber(x) : x;
  }

  private operation(name: string, operands: readonly number[]): number {
    const { m } = this;
    const { forward } = ruleOf(name);
    const direct = (m as unknown as Record<string, unknown>)[name];
    if (typeof direct === "function") return (direct as (this: VectorArithmetic, ...operands: number[]) => number).apply(m, [...operands]);
    return m.scope(() => forward(m as unknown as Arithmetic<number>, ...operands));
  }

  private store(access: number, { dtype, from }: Result, x: number, whole: boolean): void {
    const { m } = this;
    const pointer = this.pointer(access);
    if (dtype !== "bool") {
      const number = this.asNumber(from, x);
      if (whole) m.store(pointer, number);
      else m.storeFirst(pointer, number);
    } else if (whole) m.storeMask(pointer, m.toCondition(x));
    else m.storeFirstMask(pointer, m.toCondition(x));
  }

  private startReductions(): void {
    for (const result of this.spec.results)
      if (result.reduction !== undefined) this.accumulators.set(result, new Accumulator(this.m, result.reduction));
  }

  private accumulate(result: Result, x: number, whole: boolean): void {
    this.accumulators.get(result)?.add(x, whole);
  }

  private endReductions(): void {
    this.spec.results.forEach((result, k) => {
      this.accumulators.get(result)?.store(this.pointer(this.spec.operands.length + k), result.dtype);
    });
  }
}
