/** Sequences of several lengths in one batch. */
import { arange, embedding, GraphError, InputError, lt, ShapeError, Value, value } from "@unroll/autograd";

/** By sequence, its number of steps: whole numbers, as a list or as a Value [B]. */
export type Lengths = readonly number[] | Int32Array | Value;

/**
 * Whether each sequence of xs [T, B, ...] has a step t: [T, B], of bool; undefined without lengths. Throws InputError unless there is one
 * length a sequence, each from 1 to T. Lengths that a compiled function is given are not known while it is traced: the program itself throws
 * IndexError where the last step, length - 1, is none of 0 to T - 1. Internal.
 */
export function presence(op: string, lengths: Lengths | undefined, xs: Value): Value | undefined {
  if (lengths === undefined) return undefined;
  const [steps, batch] = xs.shape;
  if (steps === undefined || batch === undefined)
    throw new ShapeError(`${op}: lengths are for inputs [T, B, ...], which have a batch; these have shape [${xs.shape.join(", ")}]`);
  const ends = lengths instanceof Value ? lengths : value(Float64Array.from(lengths ?? []));
  if (ends.shape.length !== 1 || ends.size !== batch)
    throw new InputError(`${op}: got ${countOf(ends)} for ${batch} sequences; give one length a sequence, as a list or a Value [B]`);
  const list = known(ends);
  if (list !== undefined) checkRange(op, list, steps);
  return lt(arange(steps).reshape([steps, 1]), list === undefined ? checkedInProgram(op, ends, steps) : ends);
}

const countOf = ({ shape }: Value): string => (shape.length === 1 ? `${shape[0]} lengths` : `lengths of shape [${shape.join(", ")}]`);

/** The elements, where there are any yet: not of what a compiled function is given. */
function known(x: Value): readonly number[] | undefined {
  try {
    return Array.from(x.data, Number);
  } catch (error) {
    if (error instanceof GraphError) return undefined;
    throw error;
  }
}

function checkRange(op: string, lengths: readonly number[], steps: number): void {
  const odd = lengths.findIndex((length) => !Number.isInteger(length) || length < 1 || length > steps);
  if (odd < 0) return;
  throw new InputError(
    `${op}: the length of sequence ${odd} is ${lengths[odd]}; lengths are whole numbers from 1 to the ${steps} steps of the inputs`,
  );
}

/** The same lengths, read off a table of them, so that one that is not in it is an error when the program runs. */
function checkedInProgram(op: string, lengths: Value, steps: number): Value {
  if (lengths.dtype === "int32") return embedding(arange(1, steps + 1).reshape([steps, 1]), lengths.sub(1)).reshape(lengths.shape);
  throw new InputError(`${op}: lengths that a compiled function is given must be int32, got ${lengths.dtype}; pass an Int32Array`);
}
