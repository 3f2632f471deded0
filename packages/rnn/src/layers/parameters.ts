/** The parameters of a layer: a flat tree under PyTorch's names. */
import { InputError, type Shape, ShapeError, Value } from "@unroll/autograd";
import { checkFloating, checkShape, checkValue, formatShape } from "../cells/checks.js";
import type { LstmCellParams } from "../cells/lstm.js";

/** Values by name, as in a state dict of PyTorch. */
export type LayerParams<T extends Value = Value> = Readonly<Record<string, T>>;

/** By name, the shape that a parameter has; in PyTorch's order. */
export type ParameterShapes = Readonly<Record<string, Shape>>;

/**
 * The parameters of one layer and direction, `l0`, `l0_reverse`, `l1`, …, under the names that cells use: to go on step by step with what a
 * layer has learned. Throws InputError where the weights are not there.
 *
 * @example
 * import { ones, zeros } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const layer = gru({ inputSize: 2, hiddenSize: 4 });
 * const params = layer.init(key(0));
 * const [h] = gruCell(cellParams(params, "l0"), zeros([1, 4]), ones([1, 2]));
 * console.log(h.sub(layer.apply(params, ones([1, 1, 2])).state).abs().max().item()); // 0
 */
export function cellParams<T extends Value>(params: LayerParams<T>, suffix = "l0"): LstmCellParams<T> {
  const names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"];
  // What a layer does not have is left out, so that the result is a tree of Values.
  const found: Readonly<Record<string, T>> = Object.fromEntries(
    names.flatMap((name) => {
      const x = params[`${name}_${suffix}`];
      return x === undefined ? [] : [[name, x] as const];
    }),
  );
  const { weight_ih, weight_hh, ...others } = found;
  if (weight_ih !== undefined && weight_hh !== undefined) return { weight_ih, weight_hh, ...others };
  throw new InputError(
    `cellParams: there is no weight_ih_${suffix} or no weight_hh_${suffix}; there are ${Object.keys(params).join(", ")}`,
  );
}

/**
 * Throws InputError for a name that is missing or unknown and for what is no Value, ShapeError for a parameter of another shape, DTypeError
 * for integers; the message says which.
 */
export function checkParams(op: string, params: LayerParams, shapes: ParameterShapes): void {
  if (typeof (params as unknown) !== "object" || (params as unknown) === null || params instanceof Value || Array.isArray(params))
    throw new InputError(`${op}: params must be an object of Values by name, such as init(key) gives`);
  for (const [name, shape] of Object.entries(shapes)) {
    if (!Object.hasOwn(params, name) || params[name] === undefined)
      throw new InputError(
        `${op}: the parameter ${name} ${formatShape(shape)} is missing; given are ${listed(Object.keys(params))}. init(key) makes all, and a state dict must use these names`,
      );
    checkValue(op, `the parameter ${name}`, params[name]);
    checkShape(op, `the parameter ${name}`, params[name], shape);
    checkFloating(op, `the parameter ${name}`, params[name]);
  }
  const unknown = Object.keys(params).find((name) => !Object.hasOwn(shapes, name));
  if (unknown === undefined) return;
  throw new InputError(`${op}: there is no parameter ${unknown} in this layer; it has ${listed(Object.keys(shapes))}`);
}

/** At most ten of many names. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  return names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`;
}

/** Throws InputError unless a size is a whole number from 1. */
export function checkSize(op: string, name: string, size: number): void {
  if (!Number.isInteger(size) || size < 1)
    throw new InputError(`${op}: ${name} is ${typeof size === "number" ? size : JSON.stringify(size)}; it is a whole number from 1`);
}

/** Throws ShapeError unless the last of at least one axis has the length. */
export function checkFeatures(op: string, x: Value, size: number): void {
  checkValue(op, "the input", x);
  if (x.shape.length > 0 && x.shape.at(-1) === size) return;
  throw new ShapeError(`${op}: the inputs have shape ${formatShape(x.shape)}, expected ${size} features along the last axis`);
}
