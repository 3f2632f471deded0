import type { DType } from "../dtype.js";
import { bytesPerElement } from "../dtype.js";
import type { Range } from "../ops/algebra.js";
import type { ArrayType } from "../ops/array.js";
import { broadcastTo, detach, reshape, slice, stop, transpose, unstack } from "../ops/shapes.js";
import { type Shape, sizeOf, stridesOf } from "../shape.js";
import type { Instruction } from "./graph.js";

/** A loop of the program being laid out; what lies in its body may depend on its step. */
export class Frame {
  readonly steps: number;
  readonly reverse: boolean;
  /** How many loops are around it. */
  readonly depth: number;

  constructor(steps: number, reverse: boolean, depth: number) {
    this.steps = steps;
    this.reverse = reverse;
    this.depth = depth;
  }
}

/** A piece of the program's memory; the plan gives it its address. */
export class MemoryBlock {
  readonly bytes: number;
  /** The loops in whose bodies it is written. */
  readonly frames: readonly Frame[];
  address = -1;
  /** Whether it is written more than once: where a carry lies. */
  mutable = false;

  constructor(bytes: number, frames: readonly Frame[]) {
    this.bytes = bytes;
    this.frames = frames;
  }
}

/** Where the elements of a value lie: strides may be 0 (stretched) or negative. All in elements. */
export interface Location {
  readonly block: MemoryBlock;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
  /** By loop, how far one step moves it. */
  readonly steps: ReadonlyMap<Frame, number>;
}

const NO_STEPS: ReadonlyMap<Frame, number> = new Map();

export function rowMajor(block: MemoryBlock, { dtype, shape }: ArrayType, offset = 0): Location {
  return { block, dtype, shape, strides: stridesOf(shape), offset, steps: NO_STEPS };
}

export function bytesOf({ dtype, size }: ArrayType): number {
  return size * bytesPerElement(dtype);
}

/** Whether the elements lie in row-major order without gaps. */
export function isContiguous({ shape, strides }: Location): boolean {
  const dense = stridesOf(shape);
  return shape.every((length, k) => length === 1 || strides[k] === dense[k]);
}

/** One entry along axis 0, at the step of a loop. A stretched axis has the same at every step. */
export function entryOf(x: Location, frame: Frame): Location {
  const [stride = 0, ...strides] = x.strides;
  return { ...x, shape: x.shape.slice(1), strides, steps: stride === 0 ? x.steps : new Map([...x.steps, [frame, stride]]) };
}

export function partAlong(x: Location, axis: number, start: number, size: number): Location {
  const shape = x.shape.map((length, k) => (k === axis ? size : length));
  return { ...x, shape, offset: x.offset + start * (x.strides[axis] as number) };
}

export function withoutAxis(x: Location, axis: number): Location {
  const others = (_: unknown, k: number): boolean => k !== axis;
  return { ...x, shape: x.shape.filter(others), strides: x.strides.filter(others) };
}

export function stretched(x: Location, shape: Shape): Location {
  const extra = shape.length - x.shape.length;
  const strides = shape.map((length, k) =>
    k < extra || (x.shape[k - extra] === 1 && length !== 1) ? 0 : (x.strides[k - extra] as number),
  );
  return { ...x, shape, strides };
}

/** The same memory under another shape; null where it is not in one piece along the axes that change. */
export function reshaped(x: Location, shape: Shape): Location | null {
  const strides = new Array<number>(shape.length).fill(0);
  const from = x.shape.flatMap((length, k) => (length === 1 ? [] : [{ length, stride: x.strides[k] as number }]));
  if (sizeOf(shape) === 0) return { ...x, shape, strides };
  let at = from.length - 1;
  let k = shape.length - 1;
  while (k >= 0) {
    if (shape[k] === 1) {
      k--;
      continue;
    }
    let { length, stride } = from[at] as { length: number; stride: number };
    at--;
    // Axes of the old shape that make up one run of the new ones.
    let covered = shape[k] as number;
    const group = [k--];
    while (covered !== length) {
      if (covered < length) {
        covered *= shape[k] as number;
        group.push(k--);
      } else {
        const outer = from[at--] as { length: number; stride: number };
        if (outer.stride !== stride * length) return null;
        length *= outer.length;
      }
    }
    for (const axis of group) {
      strides[axis] = stride;
      stride *= shape[axis] as number;
    }
  }
  return { ...x, shape, strides };
}

const VIEWS = new Set<unknown>([reshape, transpose, broadcastTo, slice, unstack, detach, stop]);

/** Whether an operation only looks at its operand's memory in another way, if that can be done. */
export function isView({ op }: Instruction): boolean {
  return VIEWS.has(op);
}

/** The location of an output of a view; null where the operand must be copied first. */
export function viewed({ op, attributes }: Instruction, output: number, x: Location): Location | null {
  const of = op as unknown;
  if (of === detach || of === stop) return x;
  if (of === reshape) return reshaped(x, (attributes as { shape: Shape }).shape);
  if (of === broadcastTo) return stretched(x, (attributes as { shape: Shape }).shape);
  if (of === transpose) {
    const { order } = attributes as { order: readonly number[] };
    return { ...x, shape: order.map((k) => x.shape[k] as number), strides: order.map((k) => x.strides[k] as number) };
  }
  if (of === unstack) {
    const { axis } = attributes as { axis: number };
    return withoutAxis(partAlong(x, axis, output, 1), axis);
  }
  return rangesOf(x, (attributes as { ranges: readonly Range[] }).ranges);
}

/** A range of each axis. */
export function rangesOf(x: Location, ranges: readonly Range[]): Location {
  return {
    ...x,
    shape: ranges.map(({ size }) => size),
    strides: ranges.map(({ step }, k) => step * (x.strides[k] as number)),
    offset: ranges.reduce((sum, { start, size }, k) => sum + (size === 0 ? 0 : start) * (x.strides[k] as number), x.offset),
  };
}

/** Whether two locations are the same elements in the same order. */
export function sameLocation(x: Location, y: Location): boolean {
  return (
    x.block === y.block &&
    x.offset === y.offset &&
    x.shape.join() === y.shape.join() &&
    x.shape.every((length, k) => length === 1 || x.strides[k] === y.strides[k]) &&
    x.steps.size === y.steps.size &&
    [...x.steps].every(([frame, step]) => y.steps.get(frame) === step)
  );
}
