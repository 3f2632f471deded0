import { type DType, isFloating, promote, type TypedArray } from "../dtype.js";
import { broadcastShapes, sameShape } from "../shape.js";
import { arrayAlgebra } from "./arrayAlgebra.js";
import {
  ArrayType,
  filledPayload,
  FLOAT64_SCALAR,
  isNumber,
  NdArray,
  newArray,
  type Payload,
  toNdArray,
  toPayload,
  typeOf,
} from "./array.js";
import { scaled } from "./differentiate.js";
import type { ElementwiseOp, StructuralOp } from "./op.js";
import { broadcastStrides, forEachRow } from "./rows.js";
import { isAbstract, tracer } from "./tracer.js";

/** The reader "raw arrays": eager kernels, and the first-order backward pass of array operations. */

/** Element by element; the operands broadcast. */
export function runElementwise(op: ElementwiseOp, operands: readonly Payload[]): Payload {
  if (tracer !== null && operands.some(isAbstract)) return tracer.elementwise(op, operands);
  if (op.result !== "bool" && operands.every((x) => typeof x === "number")) {
    callForward(op, RESULT, operands);
    return RESULT.data[0] as number;
  }
  const type = elementwiseType(op, operands);
  const out = newArray(type);
  callForward(op, out, operands);
  return toPayload(out);
}

/** Two arrays of one floating type. */
export function runOnEqualTypes(op: ElementwiseOp, x: NdArray, y: NdArray): NdArray {
  const out = newArray(x.type);
  op.kernel.forward(x.type.size, out.data, out.offset, x.data, x.offset, 1, y.data, y.offset, 1, NOTHING.data, 0, 0);
  return out;
}

/** Shape by broadcasting; dtype by promotion, in which plain numbers are weak. */
export function elementwiseType(op: ElementwiseOp, operands: readonly Payload[]): ArrayType {
  // where's condition has no say in the dtype.
  const valued = op.arity === 3 ? operands.slice(1) : operands;
  const dtype = op.result === "bool" ? "bool" : resultDType(op, valued);
  const [x, y] = operands;
  if (x instanceof NdArray && x.type.dtype === dtype && (y === undefined || (y instanceof NdArray && y.type === x.type)) && op.arity < 3)
    return x.type;
  const shape = broadcastShapes(op.name, ...operands.map((x) => typeOf(x).shape));
  for (const x of operands) if (x instanceof NdArray && x.type.dtype === dtype && sameShape(x.type.shape, shape)) return x.type;
  return new ArrayType(shape.length === 0 && isFloating(dtype) ? "float64" : dtype, shape);
}

function resultDType(op: ElementwiseOp, operands: readonly Payload[]): DType {
  let dtype: DType | null = null;
  let weak = false;
  for (const x of operands) {
    if (typeof x === "number") weak = true;
    else dtype = dtype === null ? x.type.dtype : promote(dtype, x.type.dtype);
  }
  if (dtype === null || (weak && !isFloating(dtype))) return "float64";
  if (dtype === "bool" && op.name !== "where") dtype = "int32";
  return op.result === "same" || isFloating(dtype) ? dtype : "float64";
}

const scalarArray = (): NdArray => new NdArray(FLOAT64_SCALAR, new Float64Array(1), 0);
const NOTHING = scalarArray();
const RESULT = scalarArray();
const NUMBERS = [scalarArray(), scalarArray(), scalarArray()] as const;

/** An operand as loops read it: plain numbers in a place of their own, for what they do not read anything. */
function readable(operands: readonly (Payload | ArrayType)[], k: 0 | 1 | 2): NdArray {
  const x = operands[k];
  if (x instanceof NdArray) return x;
  if (typeof x !== "number") return NOTHING;
  NUMBERS[k].data[0] = x;
  return NUMBERS[k];
}

/** Whether an operand is read in one row, with stride 1 or 0. */
function isOneRow({ type }: NdArray, out: ArrayType): boolean {
  return type === out || type.size === 1 || sameShape(type.shape, out.shape);
}

function strideOf(x: NdArray): number {
  return x.type.size === 1 ? 0 : 1;
}

type A = TypedArray;
type RowLoop = (n: number, start: number, x: A, x0: number, xs: number, y: A, y0: number, ys: number, z: A, z0: number, zs: number) => void;

/** Runs a loop over an array of a type, row by row: it gets their length and start, and each operand as elements, start and stride. */
function eachRow(operands: readonly (Payload | ArrayType)[], type: ArrayType, loop: RowLoop): void {
  const x = readable(operands, 0);
  const y = readable(operands, 1);
  const z = readable(operands, 2);
  if (isOneRow(x, type) && isOneRow(y, type) && isOneRow(z, type)) {
    loop(type.size, 0, x.data, x.offset, strideOf(x), y.data, y.offset, strideOf(y), z.data, z.offset, strideOf(z));
    return;
  }
  const strides = [x, y, z].map((operand) => broadcastStrides(operand.type.shape, type.shape));
  forEachRow(type.shape, strides, (n, start, [p = 0, q = 0, r = 0], [xs = 0, ys = 0, zs = 0]) =>
    loop(n, start, x.data, x.offset + p, xs, y.data, y.offset + q, ys, z.data, z.offset + r, zs),
  );
}

function callForward({ kernel: { forward } }: ElementwiseOp, { type, data, offset }: NdArray, operands: readonly Payload[]): void {
  eachRow(operands, type, (n, start, x, x0, xs, y, y0, ys, z, z0, zs) => forward(n, data, offset + start, x, x0, xs, y, y0, ys, z, z0, zs));
}

/**
 * cotangent * partial of operand k, in the shape of the output: `unbroadcast` brings it to the operand's own. Operands that the partial
 * does not read may be given as types.
 */
export function runPartial(
  op: ElementwiseOp,
  k: number,
  cotangent: Payload,
  operands: readonly (Payload | ArrayType)[],
  output: Payload | ArrayType,
): Payload {
  const partial = op.kernel.partials[k];
  if (partial === "pass") return cotangent;
  if (tracer !== null || typeof partial !== "function") {
    const read = { operand: (j: number) => operands[j] as Payload, output: () => output as Payload };
    return scaled(raw, op, k, cotangent, { attributes: null, types: [], outTypes: [], ...read });
  }
  const d = toNdArray(cotangent);
  const out = newArray(d.type);
  const result = output instanceof ArrayType ? NOTHING : toNdArray(output);
  eachRow(operands, d.type, (n, start, x, x0, xs, y, y0, ys, z, z0, zs) =>
    partial(n, out.data, out.offset + start, d.data, d.offset + start, result.data, result.offset + start, x, x0, xs, y, y0, ys, z, z0, zs),
  );
  return toPayload(out);
}

/** The outputs of a structural operation; floating 0-d outputs are plain float64 numbers. */
export function runStructural<A>(op: StructuralOp<A>, operands: readonly Payload[], attributes: A): Payload[] {
  if (tracer !== null && operands.some(isAbstract)) return tracer.structural(op, operands, attributes);
  const arrays = operands.map(toNdArray);
  const types = structuralTypes(
    op,
    arrays.map((x) => x.type),
    attributes,
  );
  return op.forward(arrays, attributes, types).map(toPayload);
}

/** Types of the outputs of a structural operation. */
export function structuralTypes<A>(op: StructuralOp<A>, operands: readonly ArrayType[], attributes: A): ArrayType[] {
  return op.types(operands, attributes).map((type) => (isNumber(type) ? FLOAT64_SCALAR : type));
}

export const raw = arrayAlgebra<Payload>({
  elementwise: runElementwise,
  structural: runStructural,
  constant: (x) => x,
  typeOf,
});

export function zerosOf(type: ArrayType): Payload {
  return filledPayload(type, 0);
}

/** x += y, where x is an array that nobody else can see; both have one type. */
export function addInto(x: NdArray, y: NdArray): void {
  const { data, offset, type } = x;
  const from = y.data;
  const start = y.offset;
  for (let k = 0; k < type.size; k++) (data[offset + k] as number) += from[start + k] as number;
}
