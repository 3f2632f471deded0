import type { Range } from "../../ops/algebra.js";
import type { Ranges } from "../../ops/shapes.js";
import type { Shape } from "../../shape.js";

/** What a slice reads, or its transpose writes. */
export function rangesOf({ attributes }: { readonly attributes: unknown }): readonly Range[] {
  return (attributes as Ranges).ranges;
}

/** Whether the ranges are all of an array. */
export function areWhole(ranges: readonly Range[], shape: Shape): boolean {
  return ranges.every(({ start, size, step }, k) => start === 0 && step === 1 && size === shape[k]);
}

/** Whether no element is in both. */
export function areApart(p: readonly Range[], q: readonly Range[]): boolean {
  const isBefore = (a: Range, b: Range): boolean => a.step === 1 && b.step === 1 && a.start + a.size <= b.start;
  return p.some((range, axis) => isBefore(range, q[axis] as Range) || isBefore(q[axis] as Range, range));
}

/** The axes along which they differ. */
export function differingAxes(p: readonly Range[], q: readonly Range[]): number[] {
  const isSame = (a: Range, b: Range): boolean => a.start === b.start && a.size === b.size && a.step === b.step;
  return p.flatMap((range, axis) => (isSame(range, q[axis] as Range) ? [] : [axis]));
}
