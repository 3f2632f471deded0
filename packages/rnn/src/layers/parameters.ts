/** The parameters of a layer: a flat tree under PyTorch's names. */
import { InputError, type Shape, ShapeError, Value } from "@unroll/autograd";

/** Values by name, as in a state dict of PyTorch. */
export type LayerParams<T extends Value = Value> = Readonly<Record<string, T>>;

/** By name, the shape that a parameter has; in PyTorch's order. */
export type ParameterShapes = Readonly<Record<string, Shape>>;

/** Throws InputError for a name that is missing or unknown, ShapeError for a parameter of another shape; the message says which. */
export function checkParams(op: string, params: LayerParams, shapes: ParameterShapes): void {
  for (const name of Object.keys(shapes)) {
    const given = params[name];
    if (!(given instanceof Value)) throw new InputError(`${op}: the parameter ${name} ${formatShape(shapes[name]!)} is missing`);
    checkShape(op, `the parameter ${name}`, given, shapes[name]!);
  }
  const unknown = Object.keys(params).find((name) => !Object.hasOwn(shapes, name));
  if (unknown === undefined) return;
  throw new InputError(`${op}: there is no parameter ${unknown} in this layer; it has ${Object.keys(shapes).join(", ")}`);
}

/** Throws ShapeError unless a Value has the shape. */
export function checkShape(op: string, what: string, x: Value, shape: Shape): void {
  if (x.shape.length === shape.length && x.shape.every((length, k) => length === shape[k])) return;
  throw new ShapeError(`${op}: ${what} has shape ${formatShape(x.shape)}, expected ${formatShape(shape)}`);
}

export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Throws InputError unless a size is a whole number from 1. */
export function checkSize(op: string, name: string, size: number): void {
  if (!Number.isInteger(size) || size < 1) throw new InputError(`${op}: ${name} is ${size}; it is a whole number from 1`);
}

/** Throws ShapeError unless the last of at least one axis has the length. */
export function checkFeatures(op: string, x: Value, size: number): void {
  if (x.shape.length > 0 && x.shape.at(-1) === size) return;
  throw new ShapeError(`${op}: the inputs have shape ${formatShape(x.shape)}, expected ${size} features along the last axis`);
}
