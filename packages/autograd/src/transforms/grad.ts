import type { Operand } from "../tape/apply.js";
import type { Value } from "../tape/value.js";
import { type Cotangents, cotangentsOf, onesFor, record, scalarOf } from "./record.js";
import { rebuildAll, unlinked, type ValuesOf } from "./tree.js";

export interface GradOptions<N extends number | readonly number[]> {
  /** Which arguments to differentiate by: one position (default 0), or several. */
  readonly argnums?: N;
}

/** What may be passed where a function takes Values: numbers in any form, too. */
export type InputsOf<T> = [T] extends [Operand]
  ? Operand
  : T extends Operand
    ? Operand
    : T extends string | boolean | null | undefined
      ? T
      : { readonly [K in keyof T]: InputsOf<T[K]> };

type Positions<N> = N extends number ? `${N}` : N extends readonly number[] ? `${N[number]}` : never;

/** Arguments that are differentiated by may be numbers; the others are passed on as they are. */
export type ArgumentsOf<A extends readonly unknown[], N> = { [K in keyof A]: K extends Positions<N> ? InputsOf<A[K]> : A[K] };

/** The gradient of one argument, or a list of gradients where `argnums` is a list. */
export type GradientOf<A extends readonly unknown[], N> = N extends number
  ? ValuesOf<A[N]>
  : N extends readonly number[]
    ? { -readonly [K in keyof N]: ValuesOf<A[N[K] & number]> }
    : never;

/**
 * The function that gives the value of a scalar function and its gradient, as `[value, gradient]`, from one pass. Never touches `.grad`.
 * The result is recorded, so that it can be differentiated again, where an argument or a captured Value needs a gradient.
 * Throws GraphError unless f returns a scalar, InputError where f is async or an argument holds something else than numbers.
 *
 * @example
 * import { valueAndGrad } from "@unroll/autograd";
 * const [y, dy] = valueAndGrad((x) => x.square().sum())([1, 2]);
 * console.log(y.item(), dy.toArray()); // 5 [ 2, 4 ]
 */
export function valueAndGrad<A extends readonly unknown[] = [Value], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Value | number,
  { argnums }: GradOptions<N> = {},
): (...args: ArgumentsOf<A, N>) => [value: Value, gradient: GradientOf<A, N>] {
  return (...args) => differentiated("valueAndGrad", f, args, argnums) as [Value, GradientOf<A, N>];
}

/**
 * The function that gives the gradient of a scalar function; see valueAndGrad.
 *
 * @example
 * import { grad, type Value } from "@unroll/autograd";
 * const cube = (x: Value) => x.pow(3);
 * console.log(grad(cube)(2).item(), grad(grad(cube))(2).item()); // 12 12
 */
export function grad<A extends readonly unknown[] = [Value], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Value | number,
  { argnums }: GradOptions<N> = {},
): (...args: ArgumentsOf<A, N>) => GradientOf<A, N> {
  return (...args) => differentiated("grad", f, args, argnums)[1] as GradientOf<A, N>;
}

/** The value and the gradients of a scalar function, for the transform that messages name. Internal. */
export function differentiated(
  op: string,
  f: (...args: never[]) => unknown,
  args: readonly unknown[],
  argnums: number | readonly number[] = 0,
): [Value, unknown] {
  const positions = typeof argnums === "number" ? [argnums] : argnums;
  const call = record(op, f, args, positions);
  const root = scalarOf(op, call.out);
  const { cotangents, recorded }: Cotangents = cotangentsOf(call, [root], [onesFor(root)], false);
  const gradients = rebuildAll(call.trees, cotangents);
  return [recorded ? root : unlinked(root), typeof argnums === "number" ? gradients[0] : gradients];
}
