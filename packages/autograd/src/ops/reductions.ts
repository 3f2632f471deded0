import { ShapeError } from "../errors.js";
import { formatShape, reducedShape, type Shape } from "../shape.js";
import type { ArrayAlgebra } from "./algebra.js";
import { ArrayType, NdArray, newArray } from "./array.js";
import type { Linearization, SingleOutputOp } from "./op.js";
import { forEachRow } from "./rows.js";

/** Axes in ascending order, counted from the front; they are dropped from the shape. */
export interface Axes {
  readonly axes: readonly number[];
}

/** Strides of the reduced array under the axes of the whole one: 0 along reduced axes. */
function reducedStrides(shape: Shape, axes: readonly number[]): number[] {
  const out = new Array<number>(shape.length).fill(0);
  let stride = 1;
  for (let k = shape.length - 1; k >= 0; k--) {
    if (axes.includes(k)) continue;
    out[k] = stride;
    stride *= shape[k] as number;
  }
  return out;
}

/** Where the accumulator is not the output itself: float32 and 0-d results are summed in double. */
function accumulatorOf(type: ArrayType, start: number): NdArray {
  const out = type.dtype === "float32" ? new NdArray(new ArrayType("float64", type.shape), new Float64Array(type.size), 0) : newArray(type);
  if (start !== 0) out.data.fill(start, out.offset, out.offset + type.size);
  return out;
}

function finished(acc: NdArray, type: ArrayType): NdArray {
  if (acc.type.dtype === type.dtype) return new NdArray(type, acc.data, acc.offset);
  const out = newArray(type);
  out.data.set(acc.data, out.offset);
  return out;
}

function reducedType(x: ArrayType, axes: readonly number[]): ArrayType {
  const shape = reducedShape(x.shape, axes, false);
  return new ArrayType(x.dtype === "bool" ? "int32" : x.dtype, shape);
}

/** A cotangent of the reduced shape, stretched back over the axes that were dropped. */
function restore<T>(m: ArrayAlgebra<T>, ct: T, shape: Shape, axes: readonly number[]): T {
  return m.broadcastTo(m.reshape(ct, reducedShape(shape, axes, true)), shape);
}

/** Sum over axes; float32 is summed in double, bool counted as int32. */
export const sum: SingleOutputOp<Axes> = {
  kind: "structural",
  name: "sum",
  map: "linear",
  types: ([x], { axes }) => [reducedType(x as ArrayType, axes)],
  forward: ([x], { axes }, [type]) => {
    const { data, offset, type: from } = x as NdArray;
    const acc = accumulatorOf(type as ArrayType, 0);
    const out = acc.data;
    forEachRow(from.shape, [reducedStrides(from.shape, axes)], (n, start, [o = 0], [stride = 0]) => {
      const at = acc.offset + o;
      const first = offset + start;
      if (stride === 0) {
        let total = 0;
        for (let k = 0; k < n; k++) total += data[first + k] as number;
        (out[at] as number) += total;
      } else for (let k = 0; k < n; k++) (out[at + k] as number) += data[first + k] as number;
    });
    return [finished(acc, type as ArrayType)];
  },
  vjp: (m, _k, [ct], { attributes, types }) => restore(m, ct, (types[0] as ArrayType).shape, attributes.axes),
};

function extremeOver(name: string, start: number, pick: (x: number, y: number) => number): SingleOutputOp<Axes> {
  return {
    kind: "structural",
    name,
    keeps: [{ operand: 0 }, { output: 0 }],
    types: ([x], { axes }) => {
      const from = x as ArrayType;
      for (const k of axes) if (from.shape[k] === 0) emptyAxis(name, from.shape, k);
      return [reducedType(from, axes)];
    },
    forward: ([x], { axes }, [type]) => {
      const { data, offset, type: from } = x as NdArray;
      const integer = (type as ArrayType).dtype === "int32";
      const acc = accumulatorOf(type as ArrayType, integer ? (start < 0 ? -2147483648 : 2147483647) : start);
      const out = acc.data;
      forEachRow(from.shape, [reducedStrides(from.shape, axes)], (n, first, [o = 0], [stride = 0]) => {
        let at = acc.offset + o;
        for (let k = 0; k < n; k++, at += stride) out[at] = pick(out[at] as number, data[offset + first + k] as number);
      });
      return [finished(acc, type as ArrayType)];
    },
    vjp: (m, _k, [ct], at) => {
      const { best, ties } = tiesOf(m, at);
      return m.where(best, restore(m, m.div(ct, ties), (at.types[0] as ArrayType).shape, at.attributes.axes), m.const(0));
    },
    jvp: (m, [t], at) => {
      const { best, ties } = tiesOf(m, at);
      return [m.div(m.sum(m.where(best, t, m.const(0)), at.attributes.axes), ties)];
    },
  };
}

/** Which elements are the extreme, and how many share it. */
function tiesOf<T>(m: ArrayAlgebra<T>, { attributes: { axes }, types, operand, output }: Linearization<T, Axes>): { best: T; ties: T } {
  const best = m.eq(operand(0), restore(m, output(0), (types[0] as ArrayType).shape, axes));
  return { best, ties: m.sum(m.where(best, m.const(1), m.const(0)), axes) };
}

/** Largest element over all or several axes; ties share the gradient; NaN if any is. */
export const amax = extremeOver("max", -Infinity, Math.max);
/** Smallest element over all or several axes; ties share the gradient; NaN if any is. */
export const amin = extremeOver("min", Infinity, Math.min);

function emptyAxis(op: string, shape: Shape, axis: number): never {
  throw new ShapeError(`${op}: axis ${axis} of shape ${formatShape(shape)} is empty; ${op} needs at least one element`);
}

export interface Axis {
  readonly axis: number;
}

/** The derivative of what picks elements along an axis, and gives their positions as its second output. */
const byPositions: Pick<SingleOutputOp<Axis>, "keeps" | "vjp" | "jvp"> = {
  keeps: [{ output: 1 }],
  vjp: (m, _k, [ct], { attributes: { axis }, types, output }) =>
    m.scatterAdd(ct, output(1), axis, (types[0] as ArrayType).shape[axis] as number),
  jvp: (m, [t], { attributes: { axis }, output }) => [m.gather(t, output(1), axis), null],
};

/** Outputs: the extreme along the axis (kept with length 1), and its positions, which the backward pass reads. */
function extremeAlong(name: string, better: (x: number, best: number) => boolean): SingleOutputOp<Axis> {
  return {
    kind: "structural",
    name,
    types: ([x], { axis }) => {
      const { shape, dtype } = x as ArrayType;
      if (shape[axis] === 0) emptyAxis(name, shape, axis);
      const out = reducedShape(shape, [axis], true);
      return [new ArrayType(dtype, out), new ArrayType("int32", out)];
    },
    forward: ([x], { axis }, [type, positionType]) => {
      const from = x as NdArray;
      const values = newArray(type as ArrayType);
      const positions = newArray(positionType as ArrayType);
      forEachLine(from.type.shape, axis, (line, start, step, n) => {
        let at = 0;
        let best = from.data[from.offset + start] as number;
        for (let k = 1; k < n && !Number.isNaN(best); k++) {
          const candidate = from.data[from.offset + start + k * step] as number;
          if (!better(candidate, best) && !Number.isNaN(candidate)) continue;
          best = candidate;
          at = k;
        }
        values.data[values.offset + line] = best;
        positions.data[positions.offset + line] = at;
      });
      return [values, positions];
    },
    ...byPositions,
  };
}

/** Largest element along one axis; the first of equal ones gets the gradient. */
export const maxAlong = extremeAlong("max", (x, best) => x > best);
/** Smallest element along one axis; the first of equal ones gets the gradient. */
export const minAlong = extremeAlong("min", (x, best) => x < best);

/** Each line along an axis: its number, the offset of its first element, the step between elements, their count. */
export function forEachLine(shape: Shape, axis: number, line: (line: number, start: number, step: number, n: number) => void): void {
  const n = shape[axis] as number;
  let step = 1;
  for (let k = axis + 1; k < shape.length; k++) step *= shape[k] as number;
  let outer = 1;
  for (let k = 0; k < axis; k++) outer *= shape[k] as number;
  for (let i = 0; i < outer; i++) for (let j = 0; j < step; j++) line(i * step + j, i * step * n + j, step, n);
}

/** Elements in order along an axis, and the index each came from; stable, NaN last. */
export const sort: SingleOutputOp<Axis & { readonly descending: boolean }> = {
  kind: "structural",
  name: "sort",
  types: ([x]) => [x as ArrayType, new ArrayType("int32", (x as ArrayType).shape)],
  forward: ([x], { axis, descending }, [type, indexType]) => {
    const from = x as NdArray;
    const values = newArray(type as ArrayType);
    const indices = newArray(indexType as ArrayType);
    const sign = descending ? -1 : 1;
    forEachLine(from.type.shape, axis, (_line, start, step, n) => {
      const line = Float64Array.from({ length: n }, (_, k) => from.data[from.offset + start + k * step] as number);
      const order = Int32Array.from({ length: n }, (_, k) => k).sort(
        (p, q) => compare(line[p] as number, line[q] as number, sign) || p - q,
      );
      order.forEach((source, k) => {
        values.data[values.offset + start + k * step] = line[source] as number;
        indices.data[indices.offset + start + k * step] = source;
      });
    });
    return [values, indices];
  },
  ...byPositions,
};

function compare(x: number, y: number, sign: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  return x < y ? -sign : x > y ? sign : 0;
}
