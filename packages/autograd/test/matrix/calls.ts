import * as autograd from "../../src/index.js";
import type { Value } from "../../src/index.js";
import { constant, isFloating, type StructuralCase } from "./references.js";

export type Function_ = (...operands: Value[]) => Value;

/** Elementwise functions of Values, by the name that both the reference file and the library use. */
export const elementwise: Readonly<Record<string, Function_>> = {
  neg: autograd.neg,
  exp: autograd.exp,
  expm1: autograd.expm1,
  log: autograd.log,
  log1p: autograd.log1p,
  sqrt: autograd.sqrt,
  square: autograd.square,
  abs: autograd.abs,
  sign: autograd.sign,
  reciprocal: autograd.reciprocal,
  sin: autograd.sin,
  cos: autograd.cos,
  tanh: autograd.tanh,
  sigmoid: autograd.sigmoid,
  relu: autograd.relu,
  softplus: autograd.softplus,
  add: autograd.add,
  sub: autograd.sub,
  mul: autograd.mul,
  div: autograd.div,
  pow: autograd.pow,
  maximum: autograd.maximum,
  minimum: autograd.minimum,
  where: autograd.where,
};

/** Whatever options an operation of the reference file was called with. */
interface Options {
  readonly axis: never;
  readonly sections: never;
  readonly pads: never;
  readonly value?: never;
  readonly ranges: never[];
  readonly shape: never;
  readonly axes?: never;
  readonly reduction: never;
}
type Structural = (operands: readonly Value[], options: Options) => Value | readonly Value[];
type Operands = readonly [Value, Value, Value];

const structural: Readonly<Record<string, (operands: Operands, options: Options) => Value | readonly Value[]>> = {
  sum: ([x], o) => autograd.sum(x, o),
  mean: ([x], o) => autograd.mean(x, o),
  max: ([x], o) => autograd.max(x, o),
  min: ([x], o) => autograd.min(x, o),
  prod: ([x], o) => autograd.prod(x, o),
  logSumExp: ([x], o) => autograd.logSumExp(x, o),
  variance: ([x], o) => autograd.variance(x, o),
  sort: ([x], o) => {
    const { values, indices } = autograd.sort(x, o);
    return [values, indices];
  },
  concat: (xs, o) => autograd.concat(xs, o),
  stack: (xs, o) => autograd.stack(xs, o),
  split: ([x], { sections, axis }) => autograd.split(x, sections, { axis }),
  pad: ([x], { pads, value }) => autograd.pad(x, pads, value === undefined ? {} : { value }),
  gather: ([x, indices], o) => autograd.gather(x, indices, o),
  embedding: ([table, indices]) => autograd.embedding(table, indices),
  slice: ([x], { ranges }) => x.slice(...ranges),
  reshape: ([x], { shape }) => x.reshape(shape),
  transpose: ([x], { axes }) => (axes === undefined ? x.transpose() : x.transpose(axes)),
  broadcastTo: ([x], { shape }) => x.broadcastTo(shape),
  matmul: ([a, b]) => autograd.matmul(a, b),
  mul: ([a, b]) => autograd.mul(a, b),
  div: ([a, b]) => autograd.div(a, b),
  sub: ([a, b]) => autograd.sub(a, b),
  where: ([c, a, b]) => autograd.where(c, a, b),
  softmax: ([x], o) => autograd.softmax(x, o),
  logSoftmax: ([x], o) => autograd.logSoftmax(x, o),
  mseLoss: ([p, t], o) => autograd.mseLoss(p, t, o),
  crossEntropy: ([x, t], o) => autograd.crossEntropy(x, t, o),
};

/** A reference case as a function of its floating operands alone; indices and conditions are constants of it. */
export interface Sample {
  readonly name: string;
  readonly op: string;
  readonly call: (...floating: Value[]) => readonly Value[];
  readonly operands: readonly Value[];
}

export function sampleOf(reference: StructuralCase): Sample {
  const { op, name, options } = reference;
  const run = structural[op] as unknown as Structural;
  const all = reference.operands.map(constant);
  return {
    name,
    op,
    operands: all.filter(isFloating),
    call: (...floating) => {
      const rest = [...floating];
      const out = run(
        all.map((x) => (isFloating(x) ? (rest.shift() as Value) : x)),
        options as unknown as Options,
      );
      return Array.isArray(out) ? (out as readonly Value[]) : [out as Value];
    },
  };
}
