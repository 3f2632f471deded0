import type { Shape } from "../shape.js";

/**
 * Walks an array of `shape` row by row, together with operands that broadcast to it (or are reduced from it): adjacent axes that every
 * operand steps through alike are merged, the innermost merged axis is one row. `row(n, start, starts)` gets the length of the row, its
 * offset in the whole array and in each operand; `inner` are the operands' strides along it.
 */
export function forEachRow(
  shape: Shape,
  strides: readonly (readonly number[])[],
  row: (n: number, start: number, starts: readonly number[], inner: readonly number[]) => void,
): void {
  const { lengths, steps } = merged(shape, strides);
  const last = lengths.length - 1;
  const n = last < 0 ? 1 : (lengths[last] as number);
  const inner = steps.map((s) => (last < 0 ? 0 : (s[last] as number)));
  const starts = steps.map(() => 0);
  const index = new Array<number>(Math.max(last, 0)).fill(0);
  let rows = 1;
  for (let k = 0; k < last; k++) rows *= lengths[k] as number;
  if (n === 0 || rows === 0) return;
  for (let r = 0, start = 0; r < rows; r++, start += n) {
    row(n, start, starts, inner);
    for (let k = last - 1; k >= 0; k--) {
      const length = lengths[k] as number;
      const i = ++(index[k] as number);
      const wraps = i === length;
      for (let j = 0; j < starts.length; j++) (starts[j] as number) += (steps[j]?.[k] as number) * (wraps ? 1 - length : 1);
      if (!wraps) break;
      index[k] = 0;
    }
  }
}

/** The axes of a walk: those of length 1 left out, adjacent ones merged where every operand steps through them alike. */
export function merged(shape: Shape, strides: readonly (readonly number[])[]): { lengths: number[]; steps: number[][] } {
  const lengths: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let k = 0; k < shape.length; k++) {
    const length = shape[k] as number;
    if (length === 1) continue;
    const top = lengths.length - 1;
    const joins = top >= 0 && strides.every((s, j) => steps[j]?.[top] === (s[k] as number) * length);
    if (joins) lengths[top] = (lengths[top] as number) * length;
    else lengths.push(length);
    strides.forEach((s, j) => {
      (steps[j] as number[])[joins ? top : top + 1] = s[k] as number;
    });
  }
  return { lengths, steps };
}

/** Strides of an operand under the axes of `shape`, to which it broadcasts: 0 where it is stretched. */
export function broadcastStrides(operand: Shape, shape: Shape): number[] {
  const out = new Array<number>(shape.length).fill(0);
  let stride = 1;
  for (let k = 1; k <= operand.length; k++) {
    const length = operand[operand.length - k] as number;
    if (length !== 1) out[shape.length - k] = stride;
    stride *= length;
  }
  return out;
}
