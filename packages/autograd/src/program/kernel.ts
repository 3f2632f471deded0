import type { Arithmetic } from "../ops/algebra.js";
import type { DType } from "../dtype.js";
import { bytesPerElement } from "../dtype.js";
import type { ElementwiseOp } from "../ops/op.js";
import { elementwise } from "../ops/table.js";
import { FunctionBuilder, type Label, type ValueType } from "../wasm/assembler.js";
import type { Features } from "../wasm/features.js";
import type { LaneType } from "../wasm/lanes.js";
import { Accumulator, FirstExtreme } from "./accumulator.js";
import { type ImportedMath, VectorArithmetic } from "../wasm/vectorArithmetic.js";

/** What a kernel computes with: an operand, a number, or the result of an operation before. */
export type Reference = readonly ["operand", number] | readonly ["number", string] | readonly ["result", number];

/** An array that a kernel reads or writes: how far it steps along each axis of the walk, in elements. */
interface Access {
  readonly dtype: DType;
  readonly strides: readonly number[];
}

export type FoldKind = "sum" | "max" | "min";

/** The first of equal elements, of which one may be asked where it stands; -0 is no less than 0. */
export type FirstKind = "firstMax" | "firstMin";

export type ReductionKind = FoldKind | FirstKind;

/** Accesses that an array of indices moves: at axis `from` of the walk an index is read, and times `step` added to their addresses. */
interface Indexed {
  readonly from: number;
  /** The operand that holds the indices, and nothing else reads. */
  readonly indices: number;
  /** Operands first, then results; all of one dtype. */
  readonly accesses: readonly number[];
  /** In elements. */
  readonly step: number;
}

/**
 * A fused kernel, as plain data: equal ones are emitted once. It walks all axes together; lengths come with the call, so that it serves
 * arrays of other lengths, too.
 */
export interface KernelSpec {
  readonly dtype: LaneType;
  readonly axes: number;
  readonly operands: readonly Access[];
  readonly operations: readonly Operation[];
  readonly results: readonly Result[];
  /** Axes from this one on are reduced, in those results that say how; their strides there are 0. Without reductions: `axes` + 1. */
  readonly reducedFrom: number;
  /** Adds two parameters: how many indices there are, and the number by which the host knows the step, should one be outside. */
  readonly indexed?: Indexed;
}

interface Operation {
  readonly op: string;
  readonly operands: readonly Reference[];
  /** Whether the result is int32, which wraps around. Only in float64. */
  readonly integer?: true;
}

export interface Result extends Access {
  readonly from: Reference;
  readonly reduction?: ReductionKind;
  /** Of "firstMax" and "firstMin": where it stands, instead of what it is. */
  readonly position?: true;
}

/** A number as text that keeps its sign and NaN. */
export function numberText(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** Functions of the host: of `Math`, and `outside`, which throws: (number of the step, index). */
export type ImportHost = (name: ImportedMath | "outside") => number;

/** The function (lengths of the axes, addresses of operands, addresses of results, and what `indexed` adds). */
export function emitKernel(spec: KernelSpec, features: Features, importHost: ImportHost): FunctionBuilder {
  return new KernelEmitter(spec, features, importHost).f;
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
  private readonly accumulators = new Map<string, { readonly from: Reference; readonly into: Accumulator | FirstExtreme }>();
  private readonly importHost: ImportHost;

  constructor(spec: KernelSpec, { simd, relaxedMadd }: Features, importHost: ImportHost) {
    const { axes, operands, results, dtype, indexed } = spec;
    this.spec = spec;
    this.importHost = importHost;
    this.accesses = [...operands, ...results];
    this.f = new FunctionBuilder(new Array<ValueType>(axes + this.accesses.length + (indexed === undefined ? 0 : 2)).fill("i32"));
    const inner = this.accesses.map(({ strides }) => strides[axes - 1] ?? 0);
    const byElement = this.indexedByElement || results.some(({ reduction }) => isFirst(reduction));
    const vector = simd && !byElement && inner.every((stride) => stride === 0 || stride === 1);
    this.lanes = vector ? (dtype === "float32" ? 4 : 2) : 1;
    const lanes = this.lanes as 1 | 2 | 4;
    this.m = new VectorArithmetic(this.f, { dtype, lanes, relaxedMadd: vector && relaxedMadd, importMath: importHost });
    operands.forEach(({ strides }, k) => {
      if (strides.every((stride) => stride === 0) && this.canFix(k)) this.fix(k);
    });
    this.axis(0);
  }

  /** Whether every element has an index of its own. */
  private get indexedByElement(): boolean {
    const { indexed, axes } = this.spec;
    return indexed !== undefined && indexed.from >= axes;
  }

  /** Loops from an axis inwards. */
  private axis(axis: number): void {
    if (axis === this.spec.reducedFrom) this.startReductions();
    if (axis === this.spec.indexed?.from && !this.indexedByElement) this.atIndex(() => this.loops(axis));
    else this.loops(axis);
    if (axis === this.spec.reducedFrom) this.endReductions();
  }

  private loops(axis: number): void {
    if (this.spec.axes === 0) this.element(false);
    else if (axis === this.spec.axes - 1) this.row();
    else this.outerAxis(axis);
  }

  /** What `body` emits, with the addresses that the index moves. */
  private atIndex(body: () => void): void {
    const { f } = this;
    const { indices, accesses, step } = this.spec.indexed as Indexed;
    const [limit, site] = [f.params.length - 2, f.params.length - 1];
    const index = f.local("i32");
    f.get(this.pointer(indices)).memory("i32.load").tee(index).get(limit).op("i32.ge_u");
    f.if(() => f.get(site).get(index).call(this.importHost("outside")));
    const move = f.local("i32");
    f.get(index)
      .i32(step * bytesPerElement(this.accesses[accesses[0] as number]?.dtype as DType))
      .op("i32.mul")
      .set(move);
    const moveBy = (op: "i32.add" | "i32.sub"): void => {
      for (const k of accesses) f.get(this.pointer(k)).get(move).op(op).set(this.pointer(k));
    };
    moveBy("i32.add");
    body();
    moveBy("i32.sub");
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
    const fixedHere = operands.flatMap((_, k) => (!this.moves(k) && !this.fixed.has(k) && this.canFix(k) ? [k] : []));
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

  /** Whether an operand moves along the innermost axis; else it is the same in all lanes. */
  private moves(k: number): boolean {
    return this.accesses[k]?.strides[this.spec.axes - 1] !== 0;
  }

  /** What an index moves, other elements may have changed. */
  private canFix(k: number): boolean {
    const { indexed } = this.spec;
    return indexed === undefined || (k !== indexed.indices && !indexed.accesses.includes(k));
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
    if (this.indexedByElement) this.atIndex(() => this.computed(whole));
    else this.computed(whole);
  }

  private computed(whole: boolean): void {
    const { m, spec } = this;
    m.scope(() => {
      const loaded = spec.operands.map((_, k) =>
        k === spec.indexed?.indices ? -1 : (this.fixed.get(k) ?? this.load(k, whole && this.moves(k))),
      );
      const computed: number[] = [];
      const at = ([kind, x]: Reference): number =>
        kind === "operand" ? (loaded[x] as number) : kind === "result" ? (computed[x] as number) : m.const(Number(x));
      for (const { op, operands, integer } of spec.operations) {
        const given = operands.map((reference, k) =>
          this.takesCondition(op, k) ? at(reference) : this.asNumber(reference, at(reference)),
        );
        const out = this.operation(op, given);
        computed.push(integer === true ? m.toInteger(out) : out);
      }
      spec.results.forEach((result, k) => {
        if (result.reduction === undefined) this.store(spec.operands.length + k, result, at(result.from), whole);
      });
      for (const { from, into } of this.accumulators.values()) into.add(this.asNumber(from, at(from)), whole);
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
    if (dtype === "int32") {
      const integer = this.asInteger(from, this.asNumber(from, x));
      if (whole) m.storeIntegers(pointer, integer);
      else m.storeFirstInteger(pointer, integer);
    } else if (dtype !== "bool") {
      const number = this.asNumber(from, x);
      if (whole) m.store(pointer, number);
      else m.storeFirst(pointer, number);
    } else if (whole) m.storeMask(pointer, m.toCondition(x));
    else m.storeFirstMask(pointer, m.toCondition(x));
  }

  /** Wraps around what is no int32 yet. */
  private asInteger([kind, k]: Reference, x: number): number {
    const { operands, operations } = this.spec;
    const isOne = kind === "operand" ? operands[k]?.dtype === "int32" : kind === "result" && operations[k]?.integer === true;
    return isOne ? x : this.m.toInteger(x);
  }

  /** Equal ones are taken once: an extreme and its position are two results of one. */
  private startReductions(): void {
    for (const { reduction, from } of this.spec.results) {
      if (reduction === undefined || this.accumulators.has(keyOf(reduction, from))) continue;
      const into = isFirst(reduction) ? new FirstExtreme(this.m, reduction) : new Accumulator(this.m, reduction);
      this.accumulators.set(keyOf(reduction, from), { from, into });
    }
  }

  private endReductions(): void {
    for (const { into } of this.accumulators.values()) if (into instanceof Accumulator) into.finish();
    this.spec.results.forEach(({ reduction, from, dtype, position }, k) => {
      if (reduction === undefined) return;
      this.accumulators.get(keyOf(reduction, from))?.into.store(this.pointer(this.spec.operands.length + k), dtype, position === true);
    });
  }
}

function keyOf(reduction: ReductionKind, from: Reference): string {
  return [reduction, ...from].join();
}

function isFirst(reduction: ReductionKind | undefined): reduction is FirstKind {
  return reduction === "firstMax" || reduction === "firstMin";
}
