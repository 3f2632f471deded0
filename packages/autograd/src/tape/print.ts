import { isAbstract } from "../ops/tracer.js";
import { formatShape } from "../shape.js";
import type { Value } from "./value.js";

const EDGE = 3;
const LONG = 8;

function number(x: number): string {
  return Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(5)));
}

/** `float64 [2, 3] [[1, 2, 3], [4, 5, 6]]`; long axes are shortened in the middle. */
export function print(x: Value): string {
  if (isAbstract(x.payload)) return `${x.dtype} ${formatShape(x.shape)} (traced)`;
  const { data, shape, dtype } = x;
  const show = (axis: number, start: number, size: number): string => {
    if (axis === shape.length) return dtype === "bool" ? String(data[start] !== 0) : number(data[start] as number);
    const length = shape[axis] as number;
    const step = length === 0 ? 0 : size / length;
    const entry = (k: number) => show(axis + 1, start + k * step, step);
    const range = (from: number, to: number) => Array.from({ length: to - from }, (_, k) => entry(from + k));
    const entries = length <= LONG ? range(0, length) : [...range(0, EDGE), "…", ...range(length - EDGE, length)];
    return `[${entries.join(", ")}]`;
  };
  const values = show(0, 0, data.length);
  return shape.length === 0 ? `${dtype} ${values}` : `${dtype} ${formatShape(shape)} ${values}`;
}
