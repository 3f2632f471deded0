import { type FunctionBuilder } from "../assembler.js";

/** Addresses and counters: i32 arithmetic written as expressions instead of instruction by instruction. */

/** An i32: a local variable by its number, or the instructions that leave the value on the stack. */
export type Int = number | ((f: FunctionBuilder) => unknown);

export function push(f: FunctionBuilder, x: Int): void {
  if (typeof x === "number") f.get(x);
  else x(f);
}

export function constant(x: number): Int {
  return (f) => f.i32(x);
}

type Instruction = "i32.add" | "i32.sub" | "i32.mul" | "i32.div_u" | "i32.and" | "i32.eq";

function binary(instruction: Instruction, x: Int, y: Int): Int {
  return (f) => {
    push(f, x);
    push(f, y);
    f.op(instruction);
  };
}

export const plus = (x: Int, y: Int): Int => binary("i32.add", x, y);
export const minus = (x: Int, y: Int): Int => binary("i32.sub", x, y);
export const times = (x: Int, y: Int): Int => binary("i32.mul", x, y);
export const quotient = (x: Int, y: Int): Int => binary("i32.div_u", x, y);
export const equal = (x: Int, y: Int): Int => binary("i32.eq", x, y);

/** `x` rounded down to a multiple of `unit`, a power of two. */
export const floorTo = (x: Int, unit: number): Int => binary("i32.and", x, constant(-unit));

/** What rounding down to a multiple of `unit` takes away. */
export const remainder = (x: Int, unit: number): Int => binary("i32.and", x, constant(unit - 1));

/** The smaller of two; each is computed twice. */
export function smaller(x: Int, y: Int): Int {
  return (f) => {
    push(f, x);
    push(f, y);
    push(f, x);
    push(f, y);
    f.op("i32.lt_u").op("select");
  };
}

export function assign(f: FunctionBuilder, local: number, x: Int): void {
  push(f, x);
  f.set(local);
}

export function increase(f: FunctionBuilder, local: number, by: Int): void {
  assign(f, local, plus(local, by));
}

/** A new local with a value. */
export function variable(f: FunctionBuilder, x: Int): number {
  const local = f.local("i32");
  assign(f, local, x);
  return local;
}

export function call(f: FunctionBuilder, functionIndex: number, ...args: readonly Int[]): void {
  for (const x of args) push(f, x);
  f.call(functionIndex);
}

export function when(f: FunctionBuilder, condition: Int, then: () => void, otherwise?: () => void): void {
  push(f, condition);
  f.if(then, otherwise);
}

/** The body for `counter` = its present value, and on in steps, while it is below `limit`. */
export function whileBelow(f: FunctionBuilder, counter: number, limit: Int, step: Int, body: () => void): void {
  const below = () => {
    push(f, limit);
    f.op("i32.lt_u");
  };
  f.get(counter);
  below();
  f.if(() =>
    f.loop((again) => {
      body();
      increase(f, counter, step);
      f.get(counter);
      below();
      f.brIf(again);
    }),
  );
}

/** The body `count` times, at least once: `count` is a local, and is 0 afterwards. */
export function repeat(f: FunctionBuilder, count: number, body: () => void): void {
  f.loop((again) => {
    body();
    push(f, minus(count, constant(1)));
    f.tee(count).brIf(again);
  });
}
