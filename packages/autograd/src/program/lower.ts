import { ArrayType, type NdArray, toNdArray } from "../ops/array.js";
import { matmul, type Transpositions } from "../ops/products.js";
import { addRows, gather, scatterAdd, takeRows } from "../ops/indexing.js";
import { maxAlong, minAlong } from "../ops/reductions.js";
import { merged } from "../ops/rows.js";
import type { Range } from "../ops/algebra.js";
import { cast, concat, reshape, stack, transpose, unslice } from "../ops/shapes.js";
import { type Shape, sizeOf } from "../shape.js";
import type { Features } from "../wasm/features.js";
import type { LaneType } from "../wasm/lanes.js";
import { planProduct } from "../wasm/products.js";
import { type Graph, identityOf, type Instruction, producers, uniformElement, useCounts } from "./graph.js";
import { type FirstKind, type FoldKind, type KernelSpec, numberText, type ReductionKind, type Reference, type Result } from "./kernel.js";
import {
  bytesOf,
  entryOf,
  Frame,
  isContiguous,
  isView,
  type Location,
  MemoryBlock,
  partAlong,
  rangesOf,
  reshaped,
  rowMajor,
  sameLocation,
  stretched,
  viewed,
  withoutAxis,
} from "./location.js";
import { isLoop, type Loop } from "./loop.js";
import type { Op } from "../ops/op.js";
import type { KernelStep, Step } from "./step.js";
import { type Group, reductionOf, storedValues, type Unit, unitsOf } from "./units.js";

/** A program laid out: steps on blocks of memory that have no addresses yet. */
export interface Layout {
  readonly steps: readonly Step[];
  readonly inputs: readonly Location[];
  readonly outputs: readonly Location[];
  readonly constants: ReadonlyMap<NdArray, Location>;
  /** How many of the first inputs nothing may be written over: a run that fails leaves them as they were. */
  readonly kept: number;
}

export interface LowerOptions extends Features {
  /** Whether elementwise operations share kernels. */
  readonly fuse: boolean;
  readonly kept: number;
}

export function lower(graph: Graph, options: LowerOptions): Layout {
  const constants = new Constants();
  const level = new Level(graph, [], [], constants, options);
  const inputs = graph.inputs.map((id) => {
    const location = level.newLocation(graph.types[id] as ArrayType);
    level.known.set(id, location);
    return location;
  });
  level.run([]);
  const outputs = graph.outputs.map((id) => level.contiguous(level.locate(id)));
  return { steps: level.steps, inputs, outputs, constants: constants.locations, kept: options.kept };
}

/** Where the constants of a program lie, each once. */
class Constants {
  readonly locations = new Map<NdArray, Location>();
  private readonly numbers = new Map<number, NdArray>();

  locate(x: NdArray): Location {
    let location = this.locations.get(x);
    if (location === undefined) this.locations.set(x, (location = rowMajor(new MemoryBlock(bytesOf(x.type), []), x.type)));
    return location;
  }

  number(x: number): Location {
    let array = this.numbers.get(x);
    if (array === undefined) this.numbers.set(x, (array = toNdArray(x)));
    return this.locate(array);
  }
}

/** Where a value has to end up. */
interface Demand {
  readonly id: number;
  readonly location: Location;
  /** For a carry that keeps its place: the value that lies there before. */
  readonly before?: number;
}

/** One graph: the program's, or the body of a loop. */
class Level {
  readonly steps: Step[] = [];
  readonly known = new Map<number, Location>();
  private readonly graph: Graph;
  private readonly frames: readonly Frame[];
  /** The levels around this one, outermost first. */
  private readonly outer: readonly Level[];
  private readonly constants: Constants;
  private readonly options: LowerOptions;
  private readonly made: Map<number, Instruction>;
  private readonly uses: Uint32Array;
  private readonly destinations = new Map<number, Location>();
  private readonly packed = new Map<string, MemoryBlock>();

  constructor(graph: Graph, frames: readonly Frame[], outer: readonly Level[], constants: Constants, options: LowerOptions) {
    this.graph = graph;
    this.frames = frames;
    this.outer = outer;
    this.constants = constants;
    this.options = options;
    this.made = producers(graph);
    this.uses = useCounts(graph);
  }

  newLocation(type: ArrayType): Location {
    return rowMajor(new MemoryBlock(bytesOf(type), this.frames), type);
  }

  /** Lays out all instructions; the values in `demands` end up where they say. */
  run(demands: readonly Demand[]): void {
    const units = unitsOf(this.graph, this.uses, this.options.fuse, this.frames.length > 0);
    for (const { id, location, before } of demands) if (before === undefined || this.isSafe(units, id, before)) this.give(id, location);
    for (let k = this.graph.instructions.length - 1; k >= 0; k--) this.giveToParts(this.graph.instructions[k] as Instruction);
    for (const unit of units) {
      if (unit.kind === "group") this.group(unit);
      else this.single(unit.instruction);
    }
    this.finish(demands);
  }

  /** What did not end up in its place is copied there; a value that lies where another goes is saved first. */
  private finish(demands: readonly Demand[]): void {
    const late = demands.filter(({ id, location }) => !sameLocation(this.locate(id), location));
    const targets = new Set(late.map(({ location }) => location.block));
    const sources = late.map(({ id }) => {
      const from = this.locate(id);
      return targets.has(from.block) ? this.copied(from) : from;
    });
    late.forEach(({ location }, k) => this.copy(sources[k] as Location, location));
  }

  // ------------------------------------------------------------------------------------------------------------ where values lie

  locate(id: number): Location {
    let location = this.known.get(id);
    if (location === undefined) this.known.set(id, (location = this.found(id)));
    return location;
  }

  private found(id: number): Location {
    const constant = this.graph.constants.get(id);
    if (constant !== undefined) return this.constants.locate(constant);
    const instruction = this.made.get(id);
    if (instruction === undefined || !isView(instruction)) throw new Error("a value is read before it is made");
    const from = this.locate(instruction.operands[0] as number);
    const output = instruction.outputs.indexOf(id);
    const location = viewed(instruction, output, from) ?? viewed(instruction, output, this.copied(from));
    if (location === null) throw new Error("a copy has any shape");
    // A floating scalar is float64, also as an element of a float32 array.
    return location.dtype === this.graph.types[id]?.dtype ? location : this.copied(location, "float64");
  }

  contiguous(x: Location): Location {
    return isContiguous(x) ? x : this.copied(x);
  }

  private copied(x: Location, dtype = x.dtype): Location {
    const to = this.newLocation(new ArrayType(dtype, x.shape));
    this.copy(x, to);
    return to;
  }

  /** Has a value written where it is wanted; nothing if it lies elsewhere already, or somebody else wants it first. */
  private give(id: number, location: Location): void {
    const instruction = this.made.get(id);
    if (instruction === undefined || this.known.has(id) || this.destinations.has(id) || isLoop(instruction.op)) return;
    const type = this.graph.types[id] as ArrayType;
    if (type.dtype !== location.dtype) return;
    if (!isView(instruction)) return void this.destinations.set(id, location);
    const [operand] = instruction.operands as [number];
    const { shape } = this.graph.types[operand] as ArrayType;
    if ((instruction.op as unknown) === reshape) {
      const back = reshaped(location, shape);
      if (back !== null) this.give(operand, back);
    } else if ((instruction.op as unknown) === transpose) {
      const { order } = instruction.attributes as { order: readonly number[] };
      this.give(operand, { ...location, shape, strides: order.map((_, axis) => location.strides[order.indexOf(axis)] as number) });
    }
  }

  /** What is joined is written into its place in the whole. */
  private giveToParts(instruction: Instruction): void {
    const of = instruction.op as unknown;
    if (of !== stack && of !== concat) return;
    const [out] = instruction.outputs as [number];
    const whole = this.destinations.get(out) ?? this.newLocation(this.graph.types[out] as ArrayType);
    this.destinations.set(out, whole);
    this.partsOf(instruction, whole).forEach((part, k) => this.give(instruction.operands[k] as number, part));
  }

  private partsOf({ op, attributes, operands }: Instruction, whole: Location): Location[] {
    const { axis } = attributes as { axis: number };
    if ((op as unknown) === stack) return operands.map((_, k) => withoutAxis(partAlong(whole, axis, k, 1), axis));
    let start = 0;
    return operands.map((id) => {
      const length = this.graph.types[id]?.shape[axis] as number;
      const part = partAlong(whole, axis, start, length);
      start += length;
      return part;
    });
  }

  /** Whether a value may be written over another: nothing reads the old one later, or in another order than it is overwritten. */
  private isSafe(units: readonly Unit[], id: number, before: number): boolean {
    const maker = this.made.get(this.written(id))?.op as unknown;
    if (maker === stack || maker === concat) return false; // its parts are written earlier than it
    const seenBy = new Set([before]);
    for (const instruction of this.graph.instructions)
      if (isView(instruction) && seenBy.has(instruction.operands[0] as number)) for (const view of instruction.outputs) seenBy.add(view);
    if (this.graph.outputs.some((output) => seenBy.has(output))) return false;
    const writer = units.findIndex((unit) => instructionsOf(unit).some(({ outputs }) => outputs.includes(this.written(id))));
    return units.every((unit, at) => {
      const reads = instructionsOf(unit).flatMap(({ operands }) => operands.filter((x) => seenBy.has(x)));
      if (reads.length === 0 || at < writer) return true;
      return at === writer && unit.kind === "group" && !this.isTurned(id) && reads.every((x) => x === before);
    });
  }

  /** Whether a value is written in another order than its own: then elements of what lies there are read after others were written. */
  private isTurned(id: number): boolean {
    const instruction = this.made.get(id);
    if (instruction === undefined || !isView(instruction)) return false;
    return (instruction.op as unknown) === transpose || this.isTurned(instruction.operands[0] as number);
  }

  /** The value that an instruction writes, of which this is a view. */
  private written(id: number): number {
    const instruction = this.made.get(id);
    return instruction !== undefined && isView(instruction) ? this.written(instruction.operands[0] as number) : id;
  }

  /** Where an instruction writes an output. */
  private target(id: number): Location {
    const location = this.destinations.get(id) ?? this.newLocation(this.graph.types[id] as ArrayType);
    this.known.set(id, location);
    return location;
  }

  // ---------------------------------------------------------------------------------------------------------------- kernels

  /** Over `shape`, and within it over the axes that are reduced, or that an index moves all elements of. */
  private kernel(shape: Shape, dtype: LaneType, kernel: PendingKernel, within: Shape = []): void {
    const { operands, operations, results, indexed } = kernel;
    const accesses = [...operands, ...results.map(({ location }) => location)];
    const outer = merged(
      shape,
      accesses.map(({ strides }) => strides.slice(0, shape.length)),
    );
    const inner = merged(
      within,
      accesses.map(({ strides }) => strides.slice(shape.length)),
    );
    const reduces = results.some(({ reduction }) => reduction !== undefined);
    // A row of one element is a row.
    if (reduces && inner.lengths.length === 0 && outer.lengths.length > 0) {
      inner.lengths.push(1);
      for (const step of inner.steps) step.push(0);
    }
    const steps = accesses.map((_, k) => [...(outer.steps[k] as number[]), ...(inner.steps[k] as number[])]);
    const counts = [...outer.lengths, ...inner.lengths];
    const spec: KernelSpec = {
      dtype,
      axes: counts.length,
      operands: operands.map((x, k) => ({ dtype: x.dtype, strides: steps[k] as number[] })),
      operations,
      results: results.map(({ location, ...result }, k): Result => {
        const strides = steps[operands.length + k] as number[];
        return { dtype: location.dtype, strides, ...result };
      }),
      reducedFrom: reduces ? outer.lengths.length : counts.length + 1,
      ...(indexed === undefined
        ? {}
        : { indexed: { from: outer.lengths.length, indices: 0, accesses: indexed.accesses, step: indexed.step } }),
    };
    const step = { kind: "kernel", spec, counts, locations: accesses, writes: results.length } as const;
    this.steps.push(indexed === undefined ? step : { ...step, within: indexed.within });
  }

  private copy(from: Location, to: Location): void {
    if (sizeOf(to.shape) === 0) return;
    const { x, y, dtype } = moved(from, to);
    this.kernel(to.shape, dtype, { operands: [x], operations: [], results: [{ location: y, from: ["operand", 0] }] });
  }

  private group(group: Group): void {
    const { shape, dtype, instructions, reductions } = group;
    const operands: Location[] = [];
    const numbers = new Map(instructions.map(({ outputs }, k) => [outputs[0] as number, k]));
    const reference = (id: number): Reference => {
      const computed = numbers.get(id);
      if (computed !== undefined) return ["result", computed];
      const constant = this.graph.constants.get(id);
      const uniform = constant === undefined ? null : uniformElement(constant);
      const isNumber = uniform !== null && constant?.type.dtype !== "bool";
      if (isNumber && isFixed(uniform)) return ["number", numberText(uniform)];
      const location = stretched(isNumber ? this.constants.number(uniform) : this.locate(id), shape);
      const known = operands.findIndex((x) => sameLocation(x, location));
      return ["operand", known >= 0 ? known : operands.push(location) - 1];
    };
    const operations = instructions.map(({ op, operands: read, outputs: [out] }) => {
      const operation = { op: op.name, operands: read.map(reference) };
      return this.graph.types[out as number]?.dtype === "int32" ? { ...operation, integer: true as const } : operation;
    });
    const results: PendingResult[] = storedValues(group, this.uses).map((id) => ({ location: this.target(id), from: reference(id) }));
    const ends = reductions.map(({ op, operands: [x], outputs: [out] }): PendingResult => {
      const target = this.target(out as number);
      const location = { ...target, strides: shape.map(() => 0) };
      return { location, from: reference(x as number), reduction: reductionOf(op) as FoldKind };
    });
    const kernel = { operands, operations, results: [...results, ...ends] };
    if (ends.length === 0) this.kernel(shape, dtype, kernel);
    else this.kernel([], dtype, kernel, shape);
  }

  private single(instruction: Instruction): void {
    const { op, operands, outputs } = instruction;
    if (isLoop(op)) return this.loop(instruction);
    const of = op as unknown;
    if (outputs.every((id) => this.graph.types[id]?.size === 0)) return outputs.forEach((id) => this.target(id));
    if (of === stack || of === concat) return this.join(instruction);
    if (of === matmul && this.product(instruction)) return;
    if (of === unslice) return this.padded(instruction);
    if (of === cast) return this.copy(this.locate(operands[0] as number), this.target(outputs[0] as number));
    if (of === gather || of === takeRows) return this.gathered(instruction);
    if (of === scatterAdd || of === addRows) return this.scattered(instruction);
    if (of === maxAlong) return this.firstExtreme(instruction, "firstMax");
    if (of === minAlong) return this.firstExtreme(instruction, "firstMin");
    const kind = reductionOf(op);
    if (kind !== undefined) return this.reduction(instruction, kind);
    this.plain(instruction);
  }

  private join(instruction: Instruction): void {
    const [out] = instruction.outputs as [number];
    const whole = this.target(out);
    this.partsOf(instruction, whole).forEach((part, k) => {
      const from = this.locate(instruction.operands[k] as number);
      if (!sameLocation(from, part)) this.copy(from, part);
    });
  }

  /** Zeros, and what is padded in its place among them. */
  private padded({ attributes, operands: [x], outputs: [out] }: Instruction): void {
    const target = this.target(out as number);
    this.zeros(target);
    this.copy(this.locate(x as number), rangesOf(target, (attributes as { ranges: readonly Range[] }).ranges));
  }

  /** What indices name of x, element by element or row by row. */
  private gathered({ op, attributes, operands: [x, at], outputs: [out] }: Instruction): void {
    const walk = indexWalk(op, attributes, this.locate(x as number), this.locate(at as number));
    const { x: source, y: target, dtype } = moved(walk.table, this.target(out as number));
    const results = [{ location: target, from: ["operand", 1] as const }];
    const indexed = { accesses: [1], step: walk.step, within: walk.within };
    this.kernel(walk.shape, dtype, { operands: [walk.indices, source], operations: [], results, indexed }, walk.row);
  }

  /** Zeros, and x added where `gathered` would have read it, in the order of the indices. */
  private scattered({ op, attributes, operands: [x, at], outputs: [out] }: Instruction): void {
    const from = this.locate(x as number);
    const target = this.target(out as number);
    this.zeros(target);
    if (sizeOf(from.shape) === 0) return;
    const walk = indexWalk(op, attributes, target, this.locate(at as number));
    const add = { op: "add", operands: [["operand", 1] as const, ["operand", 2] as const] };
    const float = floatOf(target.dtype);
    const operations = [float === null ? { ...add, integer: true as const } : add];
    const results = [{ location: walk.table, from: ["result", 0] as const }];
    const indexed = { accesses: [2, 3], step: walk.step, within: walk.within };
    this.kernel(walk.shape, float ?? "float64", { operands: [walk.indices, from, walk.table], operations, results, indexed }, walk.row);
  }

  private zeros(target: Location): void {
    if (sizeOf(target.shape) === 0) return;
    const { y, dtype } = moved(target, target);
    this.fill(y, dtype, 0);
  }

  private fill(target: Location, dtype: LaneType, x: number): void {
    this.kernel(target.shape, dtype, { operands: [], operations: [], results: [{ location: target, from: ["number", numberText(x)] }] });
  }

  /** In registers where elements that are reduced lie side by side, otherwise in memory. */
  private reduction({ attributes, operands: [x], outputs: [out] }: Instruction, kind: FoldKind): void {
    const from = this.locate(x as number);
    const target = this.target(out as number);
    if (sizeOf(from.shape) === 0) return this.zeros(target);
    const { axes } = attributes as { axes: readonly number[] };
    const kept = from.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    const side = from.shape.findIndex((length, axis) => length > 1 && from.strides[axis] === 1);
    if (kept.includes(side)) return this.reductionOfColumns(from, target, kept, axes, kind);
    const inner = [...axes.filter((axis) => axis !== side), ...axes.filter((axis) => axis === side)];
    const result = { ...target, strides: [...target.strides, ...inner.map(() => 0)] };
    const results = [{ location: result, from: ["operand", 0] as const, reduction: kind }];
    const kernel = { operands: [withOrder(from, [...kept, ...inner])], operations: [], results };
    const reduced = inner.map((axis) => from.shape[axis] as number);
    this.kernel(target.shape, floatOf(from.dtype) ?? "float64", kernel, reduced);
  }

  /** Into memory, along which the vectors lie, several rows at a time. */
  private reductionOfColumns(from: Location, target: Location, kept: readonly number[], axes: readonly number[], kind: FoldKind): void {
    const dtype = kind === "sum" ? "float64" : (floatOf(from.dtype) ?? "float64");
    const inPlace = target.dtype === dtype && isContiguous(target);
    const total = inPlace ? target : this.newLocation(new ArrayType(dtype, target.shape));
    this.fill(total, dtype, FOLDS[kind].start);
    const rows = withRows(withOrder(from, [...axes, ...kept]), axes.length);
    const axis = rows.shape.length - target.shape.length - 1;
    const length = rows.shape[axis] as number;
    const together = Math.floor(length / ROWS_TOGETHER) * ROWS_TOGETHER;
    this.foldRows(total, partAlong(rows, axis, 0, together), axis, ROWS_TOGETHER, kind);
    this.foldRows(total, partAlong(rows, axis, together, length - together), axis, 1, kind);
    if (!inPlace) this.copy(total, target);
  }

  private foldRows(total: Location, rows: Location, axis: number, together: number, kind: FoldKind): void {
    if (sizeOf(rows.shape) === 0) return;
    const every = (k: number): Range[] =>
      rows.shape.map((size, j) => (j === axis ? { start: k, size: size / together, step: together } : { start: 0, size, step: 1 }));
    const taken = Array.from({ length: together }, (_, k) => rangesOf(rows, every(k)));
    const { shape } = taken[0] as Location;
    const accumulator = stretched(total, shape);
    const operations = taken.map((_, k) => {
      const before = k === 0 ? (["operand", 0] as const) : (["result", k - 1] as const);
      return { op: FOLDS[kind].op, operands: [before, ["operand", k + 1] as const] };
    });
    const results: PendingResult[] = [{ location: accumulator, from: ["result", together - 1] }];
    this.kernel(shape, total.dtype as LaneType, { operands: [accumulator, ...taken], operations, results });
  }

  /** The extreme along an axis, and its position. */
  private firstExtreme({ attributes, operands: [x], outputs }: Instruction, reduction: FirstKind): void {
    const from = this.locate(x as number);
    const { axis } = attributes as { axis: number };
    const kept = from.shape.flatMap((_, k) => (k === axis ? [] : [k]));
    const results = outputs.map((id, k): PendingResult => {
      const target = withoutAxis(this.target(id), axis);
      const result = { location: { ...target, strides: [...target.strides, 0] }, from: ["operand", 0] as const, reduction };
      return k === 1 ? { ...result, position: true } : result;
    });
    const kernel = { operands: [withOrder(from, [...kept, axis])], operations: [], results };
    this.kernel(withoutAxis(from, axis).shape, floatOf(from.dtype) ?? "float64", kernel, [from.shape[axis] as number]);
  }

  private plain(instruction: Instruction): void {
    const operands = instruction.operands.map((id) => this.contiguous(this.locate(id)));
    const targets = instruction.outputs.map((id) => this.target(id));
    const outputs = targets.map((x) => (isContiguous(x) ? x : this.newLocation(new ArrayType(x.dtype, x.shape))));
    this.steps.push({ kind: "plain", instruction, operands, outputs });
    targets.forEach((target, k) => {
      if (outputs[k] !== target) this.copy(outputs[k] as Location, target);
    });
  }

  // --------------------------------------------------------------------------------------------------------------- products

  private product(instruction: Instruction): boolean {
    const [a, b] = instruction.operands.map((id) => this.locate(id)) as [Location, Location];
    const [out] = instruction.outputs as [number];
    const type = this.graph.types[out] as ArrayType;
    const dtype = floatOf(type.dtype);
    if (dtype === null || a.dtype !== dtype || b.dtype !== dtype) return false;
    const target = this.target(out);
    const { transposeA, transposeB } = instruction.attributes as Transpositions;
    const batch = target.shape.slice(0, -2);
    const x = stretched(transposeA ? turned(a) : a, [...batch, ...(transposeA ? turned(a) : a).shape.slice(-2)]);
    const y = stretched(transposeB ? turned(b) : b, [...batch, ...(transposeB ? turned(b) : b).shape.slice(-2)]);
    this.batchOfProducts(x, y, target, dtype);
    return true;
  }

  /** A loop over the matrices of a batch; several axes one in another. */
  private batchOfProducts(x: Location, y: Location, target: Location, dtype: LaneType): void {
    if (target.shape.length === 2) return this.matrixProduct(x, y, target, dtype);
    const frame = new Frame(target.shape[0] as number, false, this.frames.length);
    const inner = new Level(this.graph, [...this.frames, frame], [...this.outer, this], this.constants, this.options);
    inner.batchOfProducts(entryOf(x, frame), entryOf(y, frame), entryOf(target, frame), dtype);
    this.steps.push({ kind: "loop", frame, body: inner.steps });
  }

  private matrixProduct(a: Location, b: Location, c: Location, dtype: LaneType): void {
    const [rows, inner] = a.shape as [number, number];
    const [, columns] = c.shape as [number, number];
    const left = this.matrix(a);
    const right = this.matrix(b);
    const target = hasRows(c) ? c : this.newLocation(new ArrayType(dtype, c.shape));
    const home = this.homeOf(right.location);
    const plan = planProduct({
      rows,
      columns,
      inner,
      transposeA: left.turned,
      transposeB: right.turned,
      dtype,
      reusedB: home !== this,
      ...this.options,
    });
    const packed =
      plan.pack === null ? right.location : home.pack(right.location, right.ld, plan.pack, dtype, inner, columns, plan.packedBytes);
    const scratch = plan.scratchBytes === 0 ? null : new MemoryBlock(plan.scratchBytes, this.frames);
    this.steps.push({
      kind: "product",
      product: plan.product,
      dtype,
      rows,
      columns,
      inner,
      a: left.location,
      lda: left.ld,
      b: packed,
      ldb: right.ld,
      c: target,
      ldc: rowStride(target),
      scratch,
    });
    if (target !== c) this.copy(target, c);
  }

  /** A matrix as products read it: rows without gaps, or columns. Copied where it has neither. */
  private matrix(x: Location): { readonly location: Location; readonly ld: number; readonly turned: boolean } {
    if (hasRows(x)) return { location: x, ld: rowStride(x), turned: false };
    const y = turned(x);
    if (hasRows(y)) return { location: x, ld: rowStride(y), turned: true };
    return this.matrix(this.copied(x));
  }

  /** The outermost level at which a value is known and does not change: there its packing is done, once. */
  private homeOf({ block, steps }: Location): Level {
    const inside = this.frames.reduce((depth, frame, k) => (block.frames.includes(frame) || steps.has(frame) ? k + 1 : depth), 0);
    return inside >= this.outer.length ? this : (this.outer[inside] as Level);
  }

  private pack(
    source: Location,
    ld: number,
    pack: "packB" | "packBTransposed",
    dtype: LaneType,
    inner: number,
    columns: number,
    bytes: number,
  ): MemoryBlock {
    const moves = [...source.steps].flatMap(([frame, step]) => [identityOf(frame), step]);
    const key = [identityOf(source.block), source.offset, ld, pack, inner, columns, ...moves].join();
    const known = source.block.mutable ? undefined : this.packed.get(key);
    if (known !== undefined) return known;
    const target = new MemoryBlock(bytes, this.frames);
    this.steps.push({ kind: "pack", pack, dtype, inner, columns, source, ld, target });
    this.packed.set(key, target);
    return target;
  }

  // ------------------------------------------------------------------------------------------------------------------ loops

  private loop({ attributes, operands, outputs }: Instruction): void {
    const { body, carries, xs, steps, reverse } = attributes as Loop;
    const frame = new Frame(steps, reverse, this.frames.length);
    const inner = new Level(body, [...this.frames, frame], [...this.outer, this], this.constants, this.options);
    const demands: Demand[] = [];
    const stacked = body.outputs.slice(carries);
    const stackOf = new Map<number, Location>();
    const last: Location[] = [];
    for (let k = 0; k < carries; k++) {
      const [before, after] = [body.inputs[k] as number, body.outputs[k] as number];
      const keeps = before !== after && (stacked.includes(before) || stacked.includes(after));
      const history = new CarryPlace(body.types[before] as ArrayType, frame, this.frames, keeps);
      this.copy(this.locate(operands[k] as number), history.first);
      inner.known.set(before, history.before);
      if (before !== after) demands.push({ id: after, location: history.after, ...(history.keeps ? {} : { before }) });
      if (history.keeps && stacked.includes(before)) stackOf.set(before, history.stackBefore);
      if (history.keeps && stacked.includes(after)) stackOf.set(after, history.stackAfter);
      last.push(history.last);
    }
    body.inputs.slice(carries).forEach((id, k) => {
      const location = this.locate(operands[carries + k] as number);
      inner.known.set(id, k < xs ? entryOf(location, frame) : location);
    });
    stacked.forEach((id) => {
      if (stackOf.has(id)) return;
      const type = body.types[id] as ArrayType;
      const whole = new ArrayType(type.dtype, [steps, ...type.shape]);
      const stackLocation = rowMajor(new MemoryBlock(bytesOf(whole), [...this.frames, frame]), whole);
      stackOf.set(id, stackLocation);
      demands.push({ id, location: entryOf(stackLocation, frame) });
    });
    inner.run(demands);
    this.steps.push({ kind: "loop", frame, body: inner.steps });
    outputs.forEach((id, k) =>
      this.known.set(id, k < carries ? (last[k] as Location) : (stackOf.get(stacked[k - carries] as number) as Location)),
    );
  }
}

/** Where a carry lies: in one place, or if its course is stacked in one place a step, of which those before and after are both stacks. */
class CarryPlace {
  readonly keeps: boolean;
  readonly first: Location;
  readonly last: Location;
  readonly before: Location;
  readonly after: Location;
  readonly stackBefore: Location;
  readonly stackAfter: Location;

  constructor(type: ArrayType, frame: Frame, frames: readonly Frame[], keeps: boolean) {
    this.keeps = keeps;
    const places = keeps ? frame.steps + 1 : 1;
    const whole = new ArrayType(type.dtype, [places, ...type.shape]);
    const block = new MemoryBlock(bytesOf(whole), [...frames, frame]);
    block.mutable = true;
    const all = rowMajor(block, whole);
    const at = (k: number): Location => withoutAxis(partAlong(all, 0, k, 1), 0);
    const from = (k: number): Location => partAlong(all, 0, k, frame.steps);
    const { steps, reverse } = frame;
    this.first = at(reverse && keeps ? steps : 0);
    this.last = at(reverse || !keeps ? 0 : steps);
    this.stackBefore = keeps ? from(reverse ? 1 : 0) : all;
    this.stackAfter = keeps ? from(reverse ? 0 : 1) : all;
    this.before = keeps ? entryOf(this.stackBefore, frame) : this.first;
    this.after = keeps ? entryOf(this.stackAfter, frame) : this.first;
  }
}

/**
 * Whether a number is part of a kernel. Others, such as one over the number of elements, come to it as operands: then it serves sizes of
 * which they are made, too.
 */
function isFixed(x: number): boolean {
  return !Number.isFinite(x) || (Math.abs(x) <= 2 && Number.isInteger(2 * x));
}

interface PendingResult {
  readonly location: Location;
  readonly from: Reference;
  readonly reduction?: ReductionKind;
  readonly position?: true;
}

interface PendingKernel {
  readonly operands: readonly Location[];
  readonly operations: KernelSpec["operations"];
  readonly results: readonly PendingResult[];
  /** Accesses that the indices of operand 0 move. */
  readonly indexed?: {
    readonly accesses: readonly number[];
    readonly step: number;
    readonly within: NonNullable<KernelStep["within"]>;
  };
}

/** How the elements of a table and the indices that name them are walked: over the indices, and at each over a row of the table. */
interface IndexWalk {
  readonly shape: Shape;
  readonly row: Shape;
  readonly indices: Location;
  /** Its elements at index 0. */
  readonly table: Location;
  readonly step: number;
  readonly within: NonNullable<KernelStep["within"]>;
}

/** Of `gather` and `scatterAdd` along an axis, of `takeRows` and `addRows` with rows. Errors name the operation that was called for. */
function indexWalk(op: Op, attributes: unknown, table: Location, at: Location): IndexWalk {
  const { shape } = at;
  const byRow = (op as unknown) === takeRows || (op as unknown) === addRows;
  const axis = byRow ? 0 : (attributes as { axis: number }).axis;
  const name = byRow ? takeRows.name : op.name;
  const walk = { shape, step: table.strides[axis] as number, within: { op: name, axis, shape: table.shape } };
  if (!byRow) {
    const strides = table.strides.map((stride, k) => (k === axis ? 0 : stride));
    return { ...walk, row: [], indices: at, table: { ...table, shape, strides } };
  }
  const row = table.shape.slice(1);
  const strides = [...shape.map(() => 0), ...table.strides.slice(1)];
  return {
    ...walk,
    row,
    indices: { ...at, strides: [...at.strides, ...row.map(() => 0)] },
    table: { ...table, shape: [...shape, ...row], strides },
  };
}

/** How many rows a turn adds up, so that the result is read and written that much less often. Eight were no faster. */
const ROWS_TOGETHER = 4;

/** How what is reduced in memory begins, and goes on. */
const FOLDS: Readonly<Record<FoldKind, { readonly op: string; readonly start: number }>> = {
  sum: { op: "add", start: 0 },
  max: { op: "maximum", start: -Infinity },
  min: { op: "minimum", start: Infinity },
};

/** What is copied as what: integers as they are, by their bits. */
function moved(from: Location, to: Location): { readonly x: Location; readonly y: Location; readonly dtype: LaneType } {
  if (from.dtype === "int32" && to.dtype === "int32")
    return { x: { ...from, dtype: "float32" }, y: { ...to, dtype: "float32" }, dtype: "float32" };
  const asBits = from.dtype === "bool" && to.dtype === "bool" ? "float32" : null;
  const exact = to.dtype === "int32" ? "float64" : (floatOf(from.dtype) ?? "float64");
  return { x: from, y: to, dtype: floatOf(to.dtype) ?? asBits ?? exact };
}

/** The first axes merged to as few as can be, but to one at least. */
function withRows(x: Location, axes: number): Location {
  const { lengths, steps } = merged(x.shape.slice(0, axes), [x.strides.slice(0, axes)]);
  const [shape, strides] = lengths.length === 0 ? [[1], [0]] : [lengths, steps[0] as number[]];
  return { ...x, shape: [...shape, ...x.shape.slice(axes)], strides: [...strides, ...x.strides.slice(axes)] };
}

function withOrder(x: Location, order: readonly number[]): Location {
  return { ...x, shape: order.map((axis) => x.shape[axis] as number), strides: order.map((axis) => x.strides[axis] as number) };
}

function instructionsOf(unit: Unit): readonly Instruction[] {
  return unit.kind === "group" ? [...unit.instructions, ...unit.reductions] : [unit.instruction];
}

function floatOf(dtype: string): LaneType | null {
  return dtype === "float32" || dtype === "float64" ? dtype : null;
}

/** The last two axes exchanged. */
function turned(x: Location): Location {
  const n = x.shape.length;
  return withOrder(
    x,
    x.shape.map((_, k) => (k < n - 2 ? k : 2 * n - 3 - k)),
  );
}

function hasRows({ shape, strides }: Location): boolean {
  return (shape[1] as number) === 1 || strides[1] === 1;
}

/** How far rows are apart; of a single row that does not matter. */
function rowStride({ shape, strides }: Location): number {
  return shape[0] === 1 ? (shape[1] as number) : (strides[0] as number);
}
