import { type DType, isFloating, promote } from "../dtype.js";
import { InputError } from "../errors.js";
import { ArrayType, FLOAT64_SCALAR, type Payload } from "../ops/array.js";
import { applyStructural, recordedAlgebra } from "../tape/apply.js";
import { Value } from "../tape/value.js";
import { checkedStep } from "../transforms/scan.js";
import { leaves, leavesLike, rebuild, valuesOf } from "../transforms/tree.js";
import { type Loop, loopOf } from "./loop.js";
import { Trace } from "./trace.js";

type Step = (carry: unknown, x: unknown) => readonly [unknown, unknown];

/** A scan of a traced function: the step is traced once, as the body of one instruction. */
export function tracedScan(outer: Trace, step: Step, init: unknown, xs: unknown): unknown {
  const starts = leaves(init);
  const sequences = leaves(xs);
  const [steps] = (sequences[0] as Value).shape as [number];
  const traced = tracedBody(outer, step, init, starts, xs, sequences);
  const promoted = traced.carries.findIndex((type, k) => type.dtype !== (starts[k] as Value).dtype);
  if (promoted >= 0) {
    checkPromotion((starts[promoted] as Value).dtype, (traced.carries[promoted] as ArrayType).dtype);
    // A carry that a step turns into another dtype has it from the start.
    const cast = starts.map((x, k) => recordedAlgebra.cast(x, (traced.carries[k] as ArrayType).dtype));
    return tracedScan(outer, step, rebuild(init, cast), xs);
  }
  const attributes: Loop = { body: traced.body, carries: starts.length, xs: sequences.length, steps, reverse: false };
  const operands = [...starts, ...sequences, ...traced.consts];
  const outputs = applyStructural(loopOf(operands.length), operands, attributes);
  const ys = traced.y === null ? null : rebuild(traced.y, outputs.slice(starts.length));
  return [rebuild(init, outputs.slice(0, starts.length)), ys];
}

function tracedBody(outer: Trace, step: Step, init: unknown, starts: readonly Value[], xs: unknown, sequences: readonly Value[]) {
  const body = new Trace(outer);
  const carries = starts.map((x) => body.input(x.type));
  const entries = sequences.map((x) => body.input(entryType(x.type)));
  return body.during(() => {
    const asValues = (payloads: readonly Payload[]) => payloads.map((x) => new Value(null, 0, x));
    const carry = rebuild(init, asValues(carries));
    const [next, given] = checkedStep(step(carry, rebuild(xs, asValues(entries))));
    const last = leavesLike("scan", "the carry of step 1", next, carry).map((x) => body.lift(x).payload);
    const y = given === null || given === undefined ? null : valuesOf<unknown>("scan", given);
    const outputs = [...last, ...leaves(y ?? []).map((x) => body.lift(x).payload)];
    const ids = [...carries, ...entries].map(({ id }) => id);
    const out = outputs.map((x) => body.idOf(x));
    const graph = body.builder.build([...ids, ...body.captured.map(({ id }) => id)], out);
    const types = out.slice(0, last.length).map((id) => body.builder.types[id] as ArrayType);
    return { body: graph, carries: types, consts: body.captured.map(({ value }) => value), y };
  });
}

/** A wider dtype holds what the narrower one does; the other way round the first step would begin with another number. */
function checkPromotion(from: DType, to: DType): void {
  if (promote(from, to) === to) return;
  throw new InputError(
    `scan: the step turns a carry of ${from} into ${to}; a compiled loop carries one dtype: begin with ${to}, or keep ${from} in the step`,
  );
}

/** The type of an entry along axis 0. */
function entryType({ dtype, shape }: ArrayType): ArrayType {
  return shape.length === 1 && isFloating(dtype) ? FLOAT64_SCALAR : new ArrayType(dtype, shape.slice(1));
}
