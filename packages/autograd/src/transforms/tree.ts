import { InputError } from "../errors.js";
import { checkSameShape } from "../shape.js";
import { type Operand, toValue } from "../tape/apply.js";
import { isTypedArray, isValueLike, kindOf, type NestedNumbers } from "../tape/input.js";
import type { TypedArray } from "../dtype.js";
import { Value } from "../tape/value.js";
import { eachLeaf, leavesOf, mapTree } from "../tree.js";

/**
 * What transforms take: a Value, a number, a typed array or a rectangular nest of numbers is one leaf; arrays and objects that hold Values
 * or objects are nodes.
 */
export type Tree = Value | NestedNumbers | TypedArray | readonly Tree[] | { readonly [key: string]: Tree };

/** A tree with every leaf replaced by a Value. */
export type ValuesOf<T> = [T] extends [Operand]
  ? Value
  : T extends Operand
    ? Value
    : T extends null | undefined
      ? T
      : { -readonly [K in keyof T]: ValuesOf<T[K]> };

function isNest(x: unknown): boolean {
  if (!Array.isArray(x)) return false;
  return x.every((entry) => typeof entry === "number" || isNest(entry));
}

/** Whether x is one leaf. Ragged nests count as one, so that reading it says what is wrong. */
export function isLeaf(x: unknown): boolean {
  return (
    x instanceof Value || isValueLike(x) || typeof x === "number" || isTypedArray(x) || (Array.isArray(x) && x.length > 0 && isNest(x))
  );
}

/** The tree with its leaves read as Values. Throws InputError naming the place of what is no number, at the root as `what`. */
export function valuesOf<T>(op: string, tree: T, what = "the argument"): ValuesOf<T> {
  return mapTree(tree, isLeaf, (leaf, path) => {
    if (isLeaf(leaf)) return toValue(op, leaf as Value);
    throw new InputError(
      `${op}: ${path === "" ? what : `the entry ${path}`} is ${kindOf(leaf)}; trees hold Values, numbers and arrays of numbers`,
    );
  }) as ValuesOf<T>;
}

export function leaves(tree: unknown): Value[] {
  const found: Value[] = [];
  eachLeaf(tree, isLeaf, (leaf) => found.push(leaf as Value));
  return found;
}

/** Puts values in the place of a tree's leaves, in order. */
export function rebuild<T>(tree: T, values: readonly Value[]): T {
  return rebuildAll([tree], values)[0] as T;
}

/** The same for several trees, one after the other. */
export function rebuildAll<T>(trees: readonly T[], values: readonly Value[]): T[] {
  let k = 0;
  return trees.map((tree) => mapTree(tree, isLeaf, () => values[k++]) as T);
}

/** The same elements without a graph. Unlike `detach()`, in a traced function derivatives still pass: who asks for them is outside. */
export function unlinked(x: Value): Value {
  return new Value(null, 0, x.payload);
}

/** The tree without what its values were computed from. */
export function detached<T>(tree: T): T {
  return mapTree(tree, isLeaf, (x) => unlinked(x as Value)) as T;
}

/** Leaves of `tree` for those of `like`, in order; throws where the structure or a shape differs. */
export function leavesLike(op: string, what: string, tree: unknown, like: unknown): Value[] {
  const given = leavesOf(valuesOf(op, tree, what), isLeaf);
  const expected = leavesOf(like, isLeaf);
  const odd = expected.find(({ path }, k) => given[k]?.path !== path) ?? given[expected.length];
  if (odd !== undefined)
    throw new InputError(`${op}: ${what} has another structure at ${odd.path === "" ? "the root" : odd.path}; give one leaf for each`);
  return given.map(({ leaf, path }, k) => {
    const [x, y] = [leaf as Value, expected[k]?.leaf as Value];
    checkSameShape(op, `${what}${path}`, x.shape, y.shape, "give equal shapes");
    return x;
  });
}
