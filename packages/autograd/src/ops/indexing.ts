import { DTypeError, IndexError, ShapeError } from "../errors.js";
import { formatShape, type Shape } from "../shape.js";
import { ArrayType, type NdArray, newArray } from "./array.js";
import type { SingleOutputOp } from "./op.js";
import { type Axis, forEachLine } from "./reductions.js";

/** Throws DTypeError unless indices are int32. */
export function checkIndices(op: string, indices: ArrayType): void {
  if (indices.dtype === "int32") return;
  throw new DTypeError(
    `${op}: indices are int32, got ${indices.dtype} of shape ${formatShape(indices.shape)}; make them with value(x, { dtype: "int32" })`,
  );
}

/** Throws IndexError for an index outside an axis. */
export function checkIndex(op: string, index: number, length: number, axis: number, shape: Shape): void {
  if (index >= 0 && index < length) return;
  throw new IndexError(`${op}: index ${index} is outside axis ${axis} of shape ${formatShape(shape)}; indices run from 0 to ${length - 1}`);
}

/** The axis taken out of a shape, for comparing the rest. */
function others(shape: Shape, axis: number): Shape {
  return shape.filter((_, k) => k !== axis);
}

/** Along an axis, the elements that indices name; the other axes of x and indices agree. */
export const gather: SingleOutputOp<Axis> = {
  kind: "structural",
  name: "gather",
  constants: [1],
  keeps: [{ operand: 1 }],
  map: "linear",
  types: ([x, indices], { axis }) => {
    const [from, at] = [x as ArrayType, indices as ArrayType];
    checkIndices("gather", at);
    if (others(from.shape, axis).join() !== others(at.shape, axis).join() || from.shape.length !== at.shape.length) {
      throw new ShapeError(
        `gather: x of shape ${formatShape(from.shape)} and indices of shape ${formatShape(at.shape)} differ outside axis ${axis}; broadcast or slice one of them`,
      );
    }
    return [new ArrayType(from.dtype, at.shape)];
  },
  forward: ([x, indices], { axis }, [type]) => {
    const from = x as NdArray;
    const at = indices as NdArray;
    const out = newArray(type as ArrayType);
    const length = from.type.shape[axis] as number;
    const count = at.type.shape[axis] as number;
    forEachLine(at.type.shape, axis, (line, start, step) => {
      const origin = from.offset + firstOfLine(line, step, length);
      for (let k = 0; k < count; k++) {
        const index = at.data[at.offset + start + k * step] as number;
        checkIndex("gather", index, length, axis, from.type.shape);
        out.data[out.offset + start + k * step] = from.data[origin + index * step] as number;
      }
    });
    return [out];
  },
  vjp: (m, _k, [ct], { attributes: { axis }, types, operand }) =>
    m.scatterAdd(ct, operand(1), axis, (types[0] as ArrayType).shape[axis] as number),
};

/** Offset of the first element of a line in an array whose axis has another length. */
function firstOfLine(line: number, step: number, length: number): number {
  return Math.floor(line / step) * step * length + (line % step);
}

/** Zeros with x added, along an axis, at the places that indices name: the transpose of gather. */
export const scatterAdd: SingleOutputOp<Axis & { readonly length: number }> = {
  kind: "structural",
  name: "scatterAdd",
  constants: [1],
  keeps: [{ operand: 1 }],
  map: "linear",
  types: ([x], { axis, length }) => {
    const { dtype, shape } = x as ArrayType;
    return [
      new ArrayType(
        dtype,
        shape.map((n, k) => (k === axis ? length : n)),
      ),
    ];
  },
  forward: ([x, indices], { axis, length }, [type]) => {
    const from = x as NdArray;
    const at = indices as NdArray;
    const out = newArray(type as ArrayType);
    forEachLine(from.type.shape, axis, (line, start, step, n) => {
      const origin = out.offset + firstOfLine(line, step, length);
      for (let k = 0; k < n; k++) {
        const index = at.data[at.offset + start + k * step] as number;
        checkIndex("scatterAdd", index, length, axis, out.type.shape);
        (out.data[origin + index * step] as number) += from.data[from.offset + start + k * step] as number;
      }
    });
    return [out];
  },
  vjp: (m, _k, [ct], { attributes: { axis }, operand }) => m.gather(ct, operand(1), axis),
};

/** The rows of a table that indices name. */
export const takeRows: SingleOutputOp<null> = {
  kind: "structural",
  name: "embedding",
  constants: [1],
  keeps: [{ operand: 1 }],
  map: "linear",
  types: ([table, indices]) => {
    const [from, at] = [table as ArrayType, indices as ArrayType];
    checkIndices("embedding", at);
    if (from.shape.length === 0) throw new ShapeError("embedding: the table is a scalar; it needs at least one axis, its rows");
    return [new ArrayType(from.dtype, [...at.shape, ...from.shape.slice(1)])];
  },
  forward: ([table, indices], _attributes, [type]) => {
    const from = table as NdArray;
    const at = indices as NdArray;
    const out = newArray(type as ArrayType);
    const rows = from.type.shape[0] as number;
    const width = rows === 0 ? 0 : from.type.size / rows;
    for (let k = 0; k < at.type.size; k++) {
      const row = at.data[at.offset + k] as number;
      checkIndex("embedding", row, rows, 0, from.type.shape);
      const source = from.offset + row * width;
      const target = out.offset + k * width;
      for (let j = 0; j < width; j++) out.data[target + j] = from.data[source + j] as number;
    }
    return [out];
  },
  vjp: (m, _k, [ct], { types, operand }) => m.addRows(ct, operand(1), (types[0] as ArrayType).shape[0] as number),
};

/** Zeros with x added to the rows that indices name: the transpose of embedding. */
export const addRows: SingleOutputOp<{ readonly rows: number }> = {
  kind: "structural",
  name: "addRows",
  constants: [1],
  keeps: [{ operand: 1 }],
  map: "linear",
  types: ([x, indices], { rows }) => {
    const { dtype, shape } = x as ArrayType;
    return [new ArrayType(dtype, [rows, ...shape.slice((indices as ArrayType).shape.length)])];
  },
  forward: ([x, indices], { rows }, [type]) => {
    const from = x as NdArray;
    const at = indices as NdArray;
    const out = newArray(type as ArrayType);
    const width = rows === 0 ? 0 : out.type.size / rows;
    for (let k = 0; k < at.type.size; k++) {
      const row = at.data[at.offset + k] as number;
      // A program may have left out the embedding that would have said so.
      checkIndex("embedding", row, rows, 0, out.type.shape);
      const target = out.offset + row * width;
      const source = from.offset + k * width;
      for (let j = 0; j < width; j++) (out.data[target + j] as number) += from.data[source + j] as number;
    }
    return [out];
  },
  vjp: (m, _k, [ct], { operand }) => m.takeRows(ct, operand(1)),
};
