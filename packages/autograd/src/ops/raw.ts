import { type DType, isFloating, promote } from "../dtype.js";
import { broadcastShapes, sameShape, type Shape } from "../shape.js";
import { arrayAlgebra } from "./arrayAlgebra.js";
import { ArrayType, filled, FLOAT64_SCALAR, NdArray, newArray, type Payload, toNdArray, toPayload, typeOf } from "./array.js";
import { scaled } from "./differentiate.js";
import type { ElementwiseOp, StructuralOp } from "./op.js";
import { broadcastStrides, forEachRow } from "./rows.js";
import { isAbstract, tracer } from "./tracer.js";

/** The reader "raw arrays": eager kernels, and the first-order backward pass of array operations. */

/** Element by element; the operands broadcast. */
export function runElementwise(op: ElementwiseOp, operands: readonly Payload[]): Payload {
  if (tracer !== null && operands.some(isAbstract)) return tracer.elementwise(op, operands);
  if (op.result !== "bool" && operands.every((x) => typeof x === "number")) {
    op.kernel.forward(1, RESULT, 0, elementsOf(operands[0], 0), 0, 0, elementsOf(operands[1], 1), 0, 0, elementsOf(operands[2], 2), 0, 0);
    return RESULT[0] as number;
  }
  const type = elementwiseType(op, operands);
  const out = newArray(type);
  callForward(op, out, operands);
  return toPayload(out);
}

/** Two arrays of one floating type. */
export function runOnEqualTypes(op: ElementwiseOp, x: NdArray, y: NdArray): NdArray {
  const out = newArray(x.type);
  op.kernel.forward(x.type.size, out.data, out.offset, x.data, x.offset, 1, y.data, y.offset, 1, NOTHING, 0, 0);
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

const NOTHING = new Float64Array(1);
const RESULT = new Float64Array(1);
const NUMBERS = [new Float64Array(1), new Float64Array(1), new Float64Array(1)] as const;

/** The elements of an operand, plain numbers in a place of their own. */
function elementsOf(x: Payload | ArrayType | undefined, k: number): Float64Array {
  if (typeof x === "number") {
    const place = NUMBERS[k] as Float64Array;
    place[0] = x;
    return place;
  }
  return x instanceof NdArray ? (x.data as Float64Array) : NOTHING;
}

function offsetOf(x: Payload | ArrayType | undefined): number {
  return x instanceof NdArray ? x.offset : 0;
}

/** All operands as they are, or single numbers: one row, with strides 1 and 0. */
function isOneRow(operands: readonly (Payload | ArrayType)[], out: ArrayType): boolean {
  for (const x of operands)
    if (x instanceof NdArray && x.type !== out && x.type.size !== 1 && !sameShape(x.type.shape, out.shape)) return false;
  return true;
}

function strideOf(x: Payload | ArrayType | undefined): number {
  return x instanceof NdArray && x.type.size !== 1 ? 1 : 0;
}

function callForward(op: ElementwiseOp, out: NdArray, operands: readonly Payload[]): void {
  const [x, y, z] = operands;
  const dx = elementsOf(x, 0);
  const dy = elementsOf(y, 1);
  const dz = elementsOf(z, 2);
  const ox = offsetOf(x);
  const oy = offsetOf(y);
  const oz = offsetOf(z);
  const { forward } = op.kernel;
  if (isOneRow(operands, out.type)) {
    forward(out.type.size, out.data, out.offset, dx, ox, strideOf(x), dy, oy, strideOf(y), dz, oz, strideOf(z));
    return;
  }
  forEachRow(out.type.shape, stridesOfAll(operands, out.type.shape), (n, start, [px = 0, py = 0, pz = 0], [sx = 0, sy = 0, sz = 0]) =>
    forward(n, out.data, out.offset + start, dx, ox + px, sx, dy, oy + py, sy, dz, oz + pz, sz),
  );
}

function stridesOfAll(operands: readonly (Payload | ArrayType)[], shape: Shape): number[][] {
  return operands.map((x) => (x instanceof NdArray ? broadcastStrides(x.type.shape, shape) : shape.map(() => 0)));
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
  if (partial === null || partial === undefined) throw new Error(`${op.name}: operand ${k} has no derivative`);
  if (tracer !== null) {
    const read = { operand: (j: number) => operands[j] as Payload, output: () => output as Payload };
    return scaled(raw, op, k, cotangent, { attributes: null, types: [], outTypes: [], ...read });
  }
  const d = toNdArray(cotangent);
  const out = newArray(d.type);
  const r = output instanceof NdArray ? output.data : typeof output === "number" ? toNdArray(output).data : NOTHING;
  const ro = output instanceof NdArray ? output.offset : typeof output === "number" ? toNdArray(output).offset : 0;
  const [x, y, z] = operands;
  const dx = elementsOf(x, 0);
  const dy = elementsOf(y, 1);
  const dz = elementsOf(z, 2);
  const ox = offsetOf(x);
  const oy = offsetOf(y);
  const oz = offsetOf(z);
  if (isOneRow(operands, out.type)) {
    partial(out.type.size, out.data, out.offset, d.data, d.offset, r, ro, dx, ox, strideOf(x), dy, oy, strideOf(y), dz, oz, strideOf(z));
    return toPayload(out);
  }
  forEachRow(out.type.shape, stridesOfAll(operands, out.type.shape), (n, start, [px = 0, py = 0, pz = 0], [sx = 0, sy = 0, sz = 0]) =>
    partial(n, out.data, out.offset + start, d.data, d.offset + start, r, ro + start, dx, ox + px, sx, dy, oy + py, sy, dz, oz + pz, sz),
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
  return op.types(operands, attributes).map((type) => (type.shape.length === 0 && isFloating(type.dtype) ? FLOAT64_SCALAR : type));
}

export const raw = arrayAlgebra<Payload>({
  elementwise: runElementwise,
  structural: runStructural,
  constant: (x) => x,
  typeOf,
});

export function zerosOf(type: ArrayType): Payload {
  return type.shape.length === 0 && isFloating(type.dtype) ? 0 : newArray(type);
}

export function filledPayload(type: ArrayType, x: number): Payload {
  return type.shape.length === 0 && isFloating(type.dtype) ? x : filled(type, x);
}

export function addPayloads(x: Payload, y: Payload): Payload {
  return raw.add(x, y);
}

/** x += y, where x is an array that nobody else can see; both have one type. */
export function addInto(x: NdArray, y: NdArray): void {
  const { data, offset, type } = x;
  const from = y.data;
  const start = y.offset;
  for (let k = 0; k < type.size; k++) (data[offset + k] as number) += from[start + k] as number;
}
