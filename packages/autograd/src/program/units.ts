import { isFloating } from "../dtype.js";
import type { ArrayType, NdArray } from "../ops/array.js";
import type { Op } from "../ops/op.js";
import { amax, amin, sum } from "../ops/reductions.js";
import { sameShape, type Shape } from "../shape.js";
import type { LaneType } from "../wasm/lanes.js";
import type { Graph, Instruction } from "./graph.js";
import type { FoldKind } from "./kernel.js";
import { isView } from "./location.js";

/** Elementwise operations over one shape that become one kernel, with reductions to a number at its end. */
export interface Group {
  readonly kind: "group";
  readonly shape: Shape;
  readonly dtype: LaneType;
  readonly instructions: Instruction[];
  readonly reductions: Instruction[];
}

/** What runs in one go. */
export type Unit = Group | { readonly kind: "single"; readonly instruction: Instruction };

const REDUCTIONS = new Map<unknown, FoldKind>([
  [sum, "sum"],
  [amax, "max"],
  [amin, "min"],
]);

export function reductionOf(op: Op): FoldKind | undefined {
  return REDUCTIONS.get(op);
}

// Beyond this many operations a kernel's values spill out of the registers more than they save in memory.
const LARGEST_GROUP = 48;

/**
 * How many functions of many instructions (exp, tanh) a kernel has at most. The values that wait for them fill the vector registers, and on
 * a third they cost more than to be written and read: the gates of an LSTM took 26 ns an element in one kernel, 21 in three.
 */
const MOST_LONG = 2;
const SHORT = new Set(["sqrt", "reciprocal", "div"]);

function isLong({ op }: Instruction): boolean {
  return op.kind === "elementwise" && op.result === "float" && !SHORT.has(op.name);
}

/**
 * A graph's instructions in an order of units: elementwise operations join a kernel of the same shape wherever their operands are there in
 * time. Views are no units; without `fuse` every operation is its own. `uses` says how often each value is read.
 */
export function unitsOf(graph: Graph, uses: Uint32Array, fuse: boolean, isBody: boolean): Unit[] {
  const units = inOrder(graph, fuse);
  return fuse ? sunk(units, graph, uses, isBody) : units;
}

function inOrder(graph: Graph, fuse: boolean): Unit[] {
  const { types } = graph;
  const units: Unit[] = [];
  /** By value, the unit that makes it; a view is there after its operand. */
  const made = new Map<number, number>();
  const views = new Set<number>();
  const earliest = (operands: readonly number[], shape: Shape | null): number =>
    operands.reduce((latest, id) => {
      const at = made.get(id);
      if (at === undefined) return latest;
      const unit = units[at] as Unit;
      const direct = !views.has(id) && unit.kind === "group" && shape !== null && isMember(unit, id) && sameShape(unit.shape, shape);
      return Math.max(latest, direct ? at : at + 1);
    }, 0);

  for (const instruction of graph.instructions) {
    const { operands, outputs } = instruction;
    if (isView(instruction)) {
      const at = made.get(operands[0] as number);
      for (const id of outputs) {
        views.add(id);
        if (at !== undefined) made.set(id, at);
      }
      continue;
    }
    const dtype = kernelDType(instruction, graph);
    const shape = types[outputs[0] as number]?.shape ?? [];
    let at = -1;
    if (dtype !== null) {
      const from = earliest(operands, shape);
      at = fuse ? units.findIndex((unit, k) => k >= from && unit.kind === "group" && fits(unit, instruction, shape, dtype)) : -1;
      if (at < 0) at = units.push({ kind: "group", shape, dtype, instructions: [], reductions: [] }) - 1;
      (units[at] as Group).instructions.push(instruction);
    } else {
      at = fuse ? groupToEnd(instruction, graph, units, made, views) : -1;
      if (at >= 0) (units[at] as Group).reductions.push(instruction);
      else at = units.push({ kind: "single", instruction }) - 1;
    }
    for (const id of outputs) made.set(id, at);
  }
  return units;
}

/**
 * What only one later kernel reads is computed there, with all that nothing else needs: it takes no memory then. Its own operands wait in
 * memory instead. In the body of a loop, of one step, that is little; elsewhere there may be no more of them than of what they make.
 */
function sunk(units: readonly Unit[], graph: Graph, uses: Uint32Array, isBody: boolean): Unit[] {
  const groups = units.filter((unit) => unit.kind === "group");
  /** By value, the last kernel that reads it, and how often. */
  const readers = new Map<number, { reader: Group; times: number }>();
  const note = (group: Group, instructions: readonly Instruction[]): void => {
    for (const { operands } of instructions)
      for (const id of operands) {
        const known = readers.get(id);
        if (known?.reader === group) known.times++;
        else readers.set(id, { reader: group, times: 1 });
      }
  };
  for (const group of groups) note(group, [...group.instructions, ...group.reductions]);
  for (const group of groups.reverse())
    for (const id of storedValues(group, uses).reverse()) {
      const found = readers.get(id);
      if (found === undefined || found.reader === group || found.times !== uses[id]) continue;
      const cone = coneOf(group, id, uses);
      if (!takesIn(found.reader, group, cone) || (!isBody && waiting(cone, group, graph) > 1)) continue;
      group.instructions.splice(0, Infinity, ...group.instructions.filter((x) => !cone.includes(x)));
      found.reader.instructions.unshift(...cone);
      note(found.reader, cone);
    }
  return units.filter((unit) => unit.kind === "single" || unit.instructions.length > 0);
}

/** The instructions of a kernel that nothing needs but one of its values. */
function coneOf({ instructions }: Group, value: number, uses: Uint32Array): Instruction[] {
  const cone: Instruction[] = [];
  const read = new Map<number, number>();
  for (const instruction of [...instructions].reverse()) {
    const [out] = instruction.outputs as [number];
    if (out !== value && read.get(out) !== uses[out]) continue;
    cone.unshift(instruction);
    for (const id of instruction.operands) read.set(id, (read.get(id) ?? 0) + 1);
  }
  return cone;
}

function takesIn(reader: Group, group: Group, cone: readonly Instruction[]): boolean {
  if (cone.length === 0 || reader.dtype !== group.dtype || !sameShape(reader.shape, group.shape)) return false;
  if (reader.instructions.length + cone.length > LARGEST_GROUP) return false;
  return !cone.some(isLong) || [...reader.instructions, ...cone].filter(isLong).length <= MOST_LONG;
}

/** How many arrays of the kernel's shape the instructions read. */
function waiting(cone: readonly Instruction[], { shape }: Group, { types, constants }: Graph): number {
  const made = new Set(cone.flatMap(({ outputs }) => outputs));
  const operands = new Set(cone.flatMap(({ operands }) => operands));
  return [...operands].filter((id) => !made.has(id) && !constants.has(id) && sameShape(types[id]?.shape ?? [], shape)).length;
}

function isMember({ instructions }: Group, id: number): boolean {
  return instructions.some(({ outputs }) => outputs[0] === id);
}

function fits({ shape, dtype, instructions }: Group, instruction: Instruction, needed: Shape, as: LaneType): boolean {
  if (isLong(instruction) && instructions.filter(isLong).length >= MOST_LONG) return false;
  return dtype === as && sameShape(shape, needed) && instructions.length < LARGEST_GROUP;
}

/** The kernel whose value a reduction over all axes takes in, so that it needs no memory; -1 where there is none. */
function groupToEnd(
  { op, attributes, operands }: Instruction,
  { types }: Graph,
  units: readonly Unit[],
  made: ReadonlyMap<number, number>,
  views: ReadonlySet<number>,
): number {
  const [x] = operands as [number];
  const at = made.get(x);
  const unit = at === undefined ? undefined : units[at];
  if (reductionOf(op) === undefined || unit?.kind !== "group" || views.has(x) || !isMember(unit, x)) return -1;
  const { shape, dtype } = types[x] as ArrayType;
  return isFloating(dtype) && (attributes as { axes: readonly number[] }).axes.length === shape.length ? (at as number) : -1;
}

/** The type in which a kernel computes an elementwise operation; null where there is no kernel for it. */
function kernelDType({ op, operands, outputs }: Instruction, { types, constants }: Graph): LaneType | null {
  if (op.kind !== "elementwise") return null;
  const out = types[outputs[0] as number] as ArrayType;
  if (out.size === 0) return null;
  // Integers are computed as eager ones are: in float64, and brought back to 32 bits.
  if (out.dtype === "int32") return "float64";
  if (out.dtype === "float32" && operands.some((id) => isBeyondFloat32(constants.get(id)))) return null;
  if (out.dtype === "float32" || out.dtype === "float64") return out.dtype;
  // Comparisons: exact in float64 for whatever is compared; in float32 only where both sides are float32 already.
  const exact = operands.every((id) => {
    const { dtype, shape } = types[id] as ArrayType;
    const constant = constants.get(id);
    if (shape.length === 0 && constant !== undefined) return Math.fround(constant.elements[0] as number) === constant.elements[0];
    return dtype === "float32" || dtype === "bool";
  });
  return exact && operands.some((id) => types[id]?.dtype === "float32" || types[id]?.dtype === "bool") ? "float32" : "float64";
}

/** Whether a number is one in float64, in which it is computed with eagerly, and Infinity or 0 in float32: 0 times that would be NaN. */
function isBeyondFloat32(constant: NdArray | undefined): boolean {
  if (constant === undefined || constant.type.shape.length > 0) return false;
  const x = constant.elements[0] as number;
  const rounded = Math.fround(x);
  return Number.isFinite(x) && (!Number.isFinite(rounded) || (x !== 0 && rounded === 0));
}

/** Values of a group that others read, so that they must be written; `uses` says how often each is read at all. */
export function storedValues({ instructions, reductions }: Group, uses: Uint32Array): number[] {
  const inside = new Map<number, number>();
  for (const { operands } of [...instructions, ...reductions]) for (const id of operands) inside.set(id, (inside.get(id) ?? 0) + 1);
  return instructions.map(({ outputs }) => outputs[0] as number).filter((id) => (uses[id] as number) > (inside.get(id) ?? 0));
}
