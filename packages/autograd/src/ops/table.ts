import * as entries from "./elementwise.js";
import { type ElementwiseKernel, kernels } from "./elementwise.generated.js";
import type { ElementwiseForward, ElementwiseOp, ElementwisePartial } from "./op.js";

interface Entry {
  /** On an arithmetic and the operands. */
  readonly forward: { readonly length: number };
  readonly partials?: unknown;
  readonly integer?: boolean;
}

/** Joins each entry of the table with its generated loops. */
function opsOf<K extends keyof typeof kernels>(table: Readonly<Record<K, Entry>>): Record<K, ElementwiseOp> {
  const ops = {} as Record<K, ElementwiseOp>;
  for (const name of Object.keys(table) as K[]) {
    const { integer, forward, partials = [null, null] } = table[name];
    const kernel: ElementwiseKernel = kernels[name];
    ops[name] = {
      kind: "elementwise",
      name,
      arity: forward.length - 1,
      result: table[name].partials === undefined ? "bool" : integer ? "same" : "float",
      forward: forward as unknown as ElementwiseForward,
      partials: partials as (ElementwisePartial | null)[],
      kernel,
    };
  }
  return ops;
}

export const unary = opsOf(entries.unary);
export const binary = opsOf(entries.binary);
export const comparison = opsOf(entries.comparison);
export const logical = opsOf(entries.logical);
export const choice = opsOf(entries.choice);

/** Every elementwise operation by name. */
export const elementwise = { ...unary, ...binary, ...comparison, ...logical, ...choice };
