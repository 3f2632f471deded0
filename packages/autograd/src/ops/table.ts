import * as entries from "./elementwise.js";
import { type ElementwiseKernel, kernels } from "./elementwise.generated.js";
import type { ElementwiseForward, ElementwiseOp, ElementwisePartial } from "./op.js";

interface Entry {
  readonly forward: unknown;
  readonly partials?: unknown;
  readonly domain?: entries.Domain;
  readonly integer?: boolean;
}

/** Joins each entry of the table with its generated loops. */
function opsOf<K extends keyof typeof kernels>(
  table: Readonly<Record<K, Entry>>,
  arity: (name: string) => number,
): Record<K, ElementwiseOp> {
  const ops = {} as Record<K, ElementwiseOp>;
  for (const name of Object.keys(table) as K[]) {
    const { domain = [], integer, forward, partials = [null, null] } = table[name];
    const kernel: ElementwiseKernel = kernels[name];
    ops[name] = {
      kind: "elementwise",
      name,
      domain,
      arity: arity(name),
      result: table[name].partials === undefined ? "bool" : integer ? "same" : "float",
      forward: forward as ElementwiseForward,
      partials: partials as (ElementwisePartial | null)[],
      kernel,
    };
  }
  return ops;
}

export const unary = opsOf(entries.unary, () => 1);
export const binary = opsOf(entries.binary, () => 2);
export const comparison = opsOf(entries.comparison, () => 2);
export const logical = opsOf(entries.logical, (name) => (name === "logicalNot" ? 1 : 2));
export const choice = opsOf(entries.choice, () => 3);

/** Every elementwise operation by name. */
export const elementwise = { ...unary, ...binary, ...comparison, ...logical, ...choice };
