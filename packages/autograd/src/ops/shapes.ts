import { type DType, isFloating, promote, type TypedArray } from "../dtype.js";
import { ShapeError } from "../errors.js";
import { broadcastShapes, checkSameShape, formatShape, sameShape, type Shape, sizeOf, stridesOf } from "../shape.js";
import type { ArrayAlgebra, Range } from "./algebra.js";
import { arrayOf, ArrayType, knownElement, NdArray, newArray, UniformArray, withShape } from "./array.js";
import type { SingleOutputOp, StructuralOp } from "./op.js";
import { broadcastStrides, forEachRow } from "./rows.js";
import { tracer } from "./tracer.js";

/** Copies elements read with `strides` (from `offset` on) into a contiguous array. */
function copyStrided(x: NdArray, offset: number, strides: readonly number[], type: ArrayType): NdArray {
  const out = newArray(type);
  const { data } = x;
  forEachRow(type.shape, [strides], (n, start, [p = 0], [stride = 0]) => {
    let from = offset + p;
    const to = out.offset + start;
    for (let k = 0; k < n; k++, from += stride) out.data[to + k] = data[from] as number;
  });
  return out;
}

/** The same value, through which no derivative passes. */
export const stop: SingleOutputOp<null> = {
  kind: "structural",
  name: "stop",
  constants: [0],
  types: ([x]) => [x as ArrayType],
  forward: ([x]) => [x as NdArray],
};

/** Elements converted to another dtype; to int32 truncated, to bool compared with 0. */
export const cast: SingleOutputOp<{ readonly dtype: DType }> = {
  kind: "structural",
  name: "cast",
  map: "linear",
  types: ([x], { dtype }) => [new ArrayType(dtype, (x as ArrayType).shape)],
  forward: ([x], _attributes, [type]) => {
    const from = x as NdArray;
    if (!(from instanceof UniformArray)) return [arrayOf(type as ArrayType, from.elements)];
    const [element] = arrayOf(new ArrayType((type as ArrayType).dtype, [1]), [from.element]).elements;
    return [new UniformArray(type as ArrayType, element as number)];
  },
  vjp: (m, _k, [ct], { types }) => m.cast(ct, (types[0] as ArrayType).dtype),
};

/** The same elements, through which no derivative passes. Eagerly there is nothing to it; a program needs an instruction that says so. */
export const detach: SingleOutputOp<null> = {
  kind: "structural",
  name: "detach",
  constants: [0],
  types: ([x]) => [x as ArrayType],
  forward: ([x]) => [x as NdArray],
};

/** The same elements in row-major order under another shape. */
export const reshape: SingleOutputOp<{ readonly shape: Shape }> = {
  kind: "structural",
  name: "reshape",
  map: "linear",
  types: ([x], { shape }) => {
    const from = x as ArrayType;
    if (sizeOf(shape) !== from.size) doesNotReshape(from.shape, shape, String(sizeOf(shape)));
    return [new ArrayType(from.dtype, shape)];
  },
  forward: ([x], _attributes, [type]) => [sharing(x as NdArray, type as ArrayType)],
  vjp: (m, _k, [ct], { types }) => m.reshape(ct, (types[0] as ArrayType).shape),
};

export function doesNotReshape(from: Shape, shape: Shape, holds: string): never {
  throw new ShapeError(
    `reshape: shape ${formatShape(from)} has ${sizeOf(from)} elements, ${formatShape(shape)} has ${holds}; give lengths with that product, or -1 for one of them`,
  );
}

/** The same memory under another type; a 0-d float32 becomes a plain float64. */
function sharing(x: NdArray, type: ArrayType): NdArray {
  return type.dtype === x.type.dtype ? withShape(x, type) : new NdArray(type, Float64Array.from(x.elements), 0);
}

/** Axes in another order. */
export const transpose: SingleOutputOp<{ readonly order: readonly number[] }> = {
  kind: "structural",
  name: "transpose",
  map: "linear",
  types: ([x], { order }) => [
    new ArrayType(
      (x as ArrayType).dtype,
      order.map((k) => (x as ArrayType).shape[k] as number),
    ),
  ],
  forward: ([x], { order }, [type]) => {
    const from = x as NdArray;
    const { shape } = from.type;
    if (order.length === 2 && order[0] === 1) {
      const out = newArray(type as ArrayType);
      transposeMatrix(from.data, from.offset, out.data, out.offset, shape[0] as number, shape[1] as number);
      return [out];
    }
    const strides = stridesOf(shape);
    return [
      copyStrided(
        from,
        from.offset,
        order.map((k) => strides[k] as number),
        type as ArrayType,
      ),
    ];
  },
  vjp: (m, _k, [ct], { attributes: { order } }) =>
    m.transpose(
      ct,
      order.map((_, k) => order.indexOf(k)),
    ),
};

const BLOCK = 16;

/** In blocks that stay in the first-level cache. */
function transposeMatrix(x: TypedArray, x0: number, out: TypedArray, o: number, rows: number, columns: number): void {
  for (let i0 = 0; i0 < rows; i0 += BLOCK) {
    const i1 = Math.min(i0 + BLOCK, rows);
    for (let j0 = 0; j0 < columns; j0 += BLOCK) {
      const j1 = Math.min(j0 + BLOCK, columns);
      for (let i = i0; i < i1; i++) for (let j = j0; j < j1; j++) out[o + j * rows + i] = x[x0 + i * columns + j] as number;
    }
  }
}

/** Stretched to a shape by NumPy's rules. */
export const broadcastTo: SingleOutputOp<{ readonly shape: Shape }> = {
  kind: "structural",
  name: "broadcastTo",
  map: "linear",
  types: ([x], { shape }) => {
    const from = x as ArrayType;
    if (!sameShape(broadcastShapes("broadcastTo", from.shape, shape), shape)) {
      throw new ShapeError(
        `broadcastTo: shape ${formatShape(from.shape)} does not stretch to ${formatShape(shape)}; only axes of length 1 and new ones in front do`,
      );
    }
    return [new ArrayType(from.dtype, shape)];
  },
  forward: ([x], { shape }, [type]) => {
    const from = x as NdArray;
    if (sameShape(from.type.shape, shape)) return [from];
    const element = tracer === null ? null : knownElement(from);
    if (element !== null) return [new UniformArray(type as ArrayType, element)];
    return [copyStrided(from, from.offset, broadcastStrides(from.type.shape, shape), type as ArrayType)];
  },
  vjp: (m, _k, [ct], { types }) => unbroadcast(m, ct, types[0] as ArrayType),
};

/**
 * Brings a cotangent back to its operand's type: summed over the axes along which the operand was stretched, in the operand's dtype.
 * Every rule that broadcasts goes through here.
 */
export function unbroadcast<T>(m: ArrayAlgebra<T>, ct: T, type: ArrayType): T {
  const from = m.typeOf(ct);
  if (from === type) return ct;
  const { shape } = type;
  let out = ct;
  if (!sameShape(from.shape, shape)) {
    const extra = from.shape.length - shape.length;
    const axes = from.shape.flatMap((length, k) => (k < extra || (shape[k - extra] === 1 && length !== 1) ? [k] : []));
    out = m.reshape(m.sum(out, axes), shape);
  }
  return shape.length === 0 || m.typeOf(out).dtype === type.dtype ? out : m.cast(out, type.dtype);
}

export interface Ranges {
  /** One an axis. */
  readonly ranges: readonly Range[];
}

/** Offset of the first element that the ranges name, and the strides between them. */
function stepsOf(shape: Shape, ranges: readonly Range[]): { first: number; strides: number[] } {
  const strides = stridesOf(shape);
  return {
    first: ranges.reduce((sum, { start, size }, k) => sum + (size === 0 ? 0 : start) * (strides[k] as number), 0),
    strides: ranges.map(({ step }, k) => step * (strides[k] as number)),
  };
}

/** Whether the ranges name one run of memory: whole axes, after at most one that is cut, after axes of which one element is taken. */
function isOneRun(shape: Shape, ranges: readonly Range[]): boolean {
  let k = ranges.length - 1;
  while (k >= 0 && ranges[k]?.size === shape[k] && ((ranges[k] as Range).step === 1 || shape[k] === 1)) k--;
  if (k >= 0 && (ranges[k] as Range).step === 1) k--;
  return ranges.slice(0, k + 1).every(({ size }) => size === 1);
}

/** A range of each axis, with steps, backwards where negative. */
export const slice: SingleOutputOp<Ranges> = {
  kind: "structural",
  name: "slice",
  map: "linear",
  types: ([x], { ranges }) => [
    new ArrayType(
      (x as ArrayType).dtype,
      ranges.map(({ size }) => size),
    ),
  ],
  forward: ([x], { ranges }, [type]) => {
    const from = x as NdArray;
    const { first, strides } = stepsOf(from.type.shape, ranges);
    if (isOneRun(from.type.shape, ranges)) return [new NdArray(type as ArrayType, from.data, from.offset + first)];
    return [copyStrided(from, from.offset + first, strides, type as ArrayType)];
  },
  vjp: (m, _k, [ct], { attributes: { ranges }, types }) => m.unslice(ct, (types[0] as ArrayType).shape, ranges),
};

/** Zeros with x written where a slice would read it: the transpose of slice, and a pad with zeros. */
export const unslice: SingleOutputOp<Ranges & { readonly shape: Shape }> = {
  kind: "structural",
  name: "unslice",
  map: "linear",
  types: ([x], { shape }) => [new ArrayType((x as ArrayType).dtype, shape)],
  forward: ([x], { shape, ranges }, [type]) => {
    const from = x as NdArray;
    const out = newArray(type as ArrayType);
    const { first, strides } = stepsOf(shape, ranges);
    forEachRow(from.type.shape, [strides], (n, start, [o = 0], [stride = 0]) => {
      let to = out.offset + first + o;
      for (let k = 0; k < n; k++, to += stride) out.data[to] = from.data[from.offset + start + k] as number;
    });
    return [out];
  },
  vjp: (m, _k, [ct], { attributes: { ranges } }) => m.slice(ct, ranges),
};

interface JoinAxis {
  readonly axis: number;
}

function commonDType(types: readonly ArrayType[]): DType {
  return types.map((t) => t.dtype).reduce(promote);
}

/** Copies the blocks of each array that lie before the axis's next step, in turn. */
function interleave(arrays: readonly NdArray[], axis: number, type: ArrayType): NdArray {
  const out = newArray(type);
  const outer = sizeOf(type.shape.slice(0, axis));
  const blocks = arrays.map((x) => (outer === 0 ? 0 : x.type.size / outer));
  let to = out.offset;
  for (let i = 0; i < outer; i++) {
    arrays.forEach((x, j) => {
      const block = blocks[j] as number;
      const from = x.offset + i * block;
      for (let k = 0; k < block; k++) out.data[to++] = x.data[from + k] as number;
    });
  }
  return out;
}

/** Arrays one after the other along an axis. */
export const concat: SingleOutputOp<JoinAxis> = {
  kind: "structural",
  name: "concat",
  map: "linear",
  types: (types, { axis }) => {
    const [first] = types as [ArrayType];
    const length = types.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
    for (const { shape } of types) {
      if (shape.length === first.shape.length && shape.every((n, k) => k === axis || n === first.shape[k])) continue;
      throw new ShapeError(
        `concat: shapes ${types.map((t) => formatShape(t.shape)).join(", ")} differ outside axis ${axis}; join along another, or stack`,
      );
    }
    return [
      new ArrayType(
        commonDType(types),
        first.shape.map((n, k) => (k === axis ? length : n)),
      ),
    ];
  },
  forward: (arrays, { axis }, [type]) => [interleave(arrays, axis, type as ArrayType)],
  vjp: (m, k, [ct], { attributes: { axis }, types }) => {
    const before = types.slice(0, k).reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
    const { shape, dtype } = types[k] as ArrayType;
    const ranges = shape.map((size, j): Range => ({ start: j === axis ? before : 0, size, step: 1 }));
    return m.cast(m.slice(ct, ranges), dtype);
  },
};

/** Arrays of one shape joined along a new axis. */
export const stack: SingleOutputOp<JoinAxis> = {
  kind: "structural",
  name: "stack",
  map: "linear",
  types: (types, { axis }) => {
    const [first] = types as [ArrayType];
    types.forEach(({ shape }, k) => checkSameShape("stack", `entry ${k}`, shape, first.shape, "stack joins equal shapes, concat others"));
    return [new ArrayType(commonDType(types), [...first.shape.slice(0, axis), types.length, ...first.shape.slice(axis)])];
  },
  forward: (arrays, { axis }, [type]) => [interleave(arrays, axis, type as ArrayType)],
  vjp: (m, k, [ct], { attributes: { axis }, types, outTypes }) => {
    const { shape, dtype } = types[k] as ArrayType;
    const ranges = (outTypes[0] as ArrayType).shape.map(
      (size, j): Range => (j === axis ? { start: k, size: 1, step: 1 } : { start: 0, size, step: 1 }),
    );
    const own = m.reshape(m.slice(ct, ranges), shape);
    return shape.length === 0 || !isFloating(dtype) ? own : m.cast(own, dtype);
  },
};

/** The slices along an axis, without it. */
export const unstack: StructuralOp<JoinAxis> = {
  kind: "structural",
  name: "unstack",
  map: "linear",
  types: ([x], { axis }) => {
    const { shape, dtype } = x as ArrayType;
    const rest = new ArrayType(
      dtype,
      shape.filter((_, k) => k !== axis),
    );
    return Array.from({ length: shape[axis] as number }, () => rest);
  },
  forward: ([x], { axis }, outTypes) => {
    const from = x as NdArray;
    const { shape } = from.type;
    const strides = stridesOf(shape);
    const rest = strides.filter((_, k) => k !== axis);
    return outTypes.map((type, k) => {
      const first = from.offset + k * (strides[axis] as number);
      if (axis === 0 && type.dtype === from.type.dtype) return new NdArray(type, from.data, first);
      return copyStrided(from, first, rest, type);
    });
  },
  vjp: (m, _k, cotangents, { attributes: { axis }, types, outTypes }) => {
    const { dtype } = types[0] as ArrayType;
    const zero = m.broadcastTo(m.const(0), (outTypes[0] as ArrayType).shape);
    return m.cast(
      m.stack(
        cotangents.map((ct) => ct ?? zero),
        axis,
      ),
      dtype,
    );
  },
};
