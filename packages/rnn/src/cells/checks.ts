/** What inputs, states and weights must be, said in words where they are not. */
import { DTypeError, InputError, type Shape, ShapeError, Value } from "@unroll/autograd";

export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Throws InputError unless x is a Value; numbers in other forms are made one by `value`. */
export function checkValue(op: string, what: string, x: unknown): asserts x is Value {
  if (!(x instanceof Value)) throw new InputError(`${op}: ${what} must be a Value; make one with value(…)`);
}

/** Throws ShapeError unless a Value has the shape. */
export function checkShape(op: string, what: string, x: Value, shape: Shape): void {
  if (x.shape.length === shape.length && x.shape.every((length, k) => length === shape[k])) return;
  throw new ShapeError(`${op}: ${what} has shape ${formatShape(x.shape)}, expected ${formatShape(shape)}`);
}

/** Throws DTypeError for int32 and bool, of which there are no gradients, and which are tokens or flags more often than numbers. */
export function checkFloating(op: string, what: string, x: Value): void {
  if (x.dtype === "float64" || x.dtype === "float32") return;
  throw new DTypeError(
    `${op}: ${what} is ${x.dtype}, expected float64 or float32; for tokens there is embeddingTable, for numbers value(…, { dtype: "float64" })`,
  );
}

/** What a cell's weights and states must fit: G gates, and by part of the state its letter. */
export interface CellForm {
  readonly name: string;
  readonly gates: number;
  readonly states: readonly string[];
}

/** By name; a cell may lack all but the first two. */
interface Weights {
  readonly weight_ih: Value;
  readonly weight_hh: Value;
  readonly bias_ih?: Value | undefined;
  readonly bias_hh?: Value | undefined;
  readonly weight_hr?: Value | undefined;
}

/** Throws InputError or ShapeError unless weights, the parts of the state and inputs [B, I], or [I], fit together. */
export function checkCell({ name, gates, states }: CellForm, weights: Weights, carry: unknown, x: Value): void {
  const { weight_ih, weight_hh, bias_ih, bias_hh, weight_hr } = weights;
  if (!(weight_ih instanceof Value && weight_hh instanceof Value))
    throw new InputError(`${name}: weight_ih and weight_hh must be Values; cellParams takes them from a layer's params`);
  const [rows = 0, inputs] = weight_ih.shape;
  const hidden = rows / gates;
  if (weight_ih.shape.length !== 2 || !Number.isInteger(hidden))
    throw new ShapeError(
      `${name}: weight_ih has shape ${formatShape(weight_ih.shape)}, expected [G H, I] for the ${gates} gates of this cell`,
    );
  const width = weight_hr === undefined ? hidden : (weight_hr.shape[0] ?? 0);
  checkShape(name, "weight_hh", weight_hh, [rows, width]);
  if (weight_hr !== undefined) checkShape(name, "weight_hr", weight_hr, [width, hidden]);
  if (bias_ih !== undefined) checkShape(name, "bias_ih", bias_ih, [rows]);
  if (bias_hh !== undefined) checkShape(name, "bias_hh", bias_hh, [rows]);
  checkValue(name, "the input", x);
  if (x.shape.length < 1 || x.shape.length > 2 || x.shape.at(-1) !== inputs)
    throw new ShapeError(`${name}: the input has shape ${formatShape(x.shape)}, expected [B, ${inputs}], or [${inputs}] without a batch`);
  const parts: readonly unknown[] = Array.isArray(carry) ? carry : [carry];
  if (Array.isArray(carry) !== states.length > 1 || parts.length !== states.length || !parts.every((part) => part instanceof Value))
    throw new InputError(
      `${name}: expected as state ${states.length > 1 ? `[${states.join(", ")}], a list of Values` : `${states[0]!}, one Value`}`,
    );
  const batch = x.shape.slice(0, -1);
  parts.forEach((part, k) => checkShape(name, `the state ${states[k]!}`, part, [...batch, k === 0 ? width : hidden]));
}
