import { InputError, Value } from "@unroll/autograd";

/** By sequence, its number of steps: whole numbers, as a list or as an int32 Value [B]. */
export type Lengths = readonly number[] | Int32Array | Value;

/** The lengths as a list. Throws InputError unless there is one a sequence, each from 1 to the number of steps. */
export function checkLengths(op: string, lengths: Lengths, steps: number, batch: number): number[] {
  const list = Array.from(lengths instanceof Value ? lengths.data : lengths, Number);
  if (list.length !== batch) throw new InputError(`${op}: got ${list.length} lengths for ${batch} sequences; give one a sequence`);
  const odd = list.findIndex((length) => !Number.isInteger(length) || length < 1 || length > steps);
  if (odd < 0) return list;
  throw new InputError(
    `${op}: the length of sequence ${odd} is ${list[odd]}; lengths are whole numbers from 1 to the ${steps} steps of the inputs`,
  );
}
