/** Trees of Values as state dicts: their leaves under dotted names, such as PyTorch gives them. */
import {
  InputError,
  type NestedNumbers,
  type NumericInput,
  type Operand,
  ShapeError,
  type Tree,
  Value,
  type ValuesOf,
  value,
} from "@unroll/autograd";

/** Values by name, in any of the forms that functions here take. */
export type StateDict = ReadonlyMap<string, Operand> | Readonly<Record<string, Operand>>;

/** Nested arrays and objects of Values: what dotted names spell out. */
export type ValueTree = Value | readonly ValueTree[] | { readonly [key: string]: ValueTree };

/** Deeper trees are refused: nothing real comes near, and what walks a tree would run out of stack. */
const DEEPEST = 100;

/**
 * The leaves of a tree, in its order, each under the names of the nodes that lead to it, joined by dots; places in an array are numbers, as
 * in PyTorch's lists of modules. Entries that are null or undefined hold no leaf. A Map is taken as flat already.
 * Throws InputError for two leaves of one name (a name that contains a dot), for a bare leaf, which has none, and for what is no number.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const tree = { layers: [{ weight: value([1, 2]) }, { weight: value([3, 4]) }], scale: value(5) };
 * console.log([...flattenTree(tree).keys()]); // [ 'layers.0.weight', 'layers.1.weight', 'scale' ]
 */
export function flattenTree(tree: unknown): Map<string, Value> {
  if (isLeaf(tree)) throw new InputError("flattenTree: a bare value has no name; give an object of values, such as { weight }");
  const named = new Map<string, Value>();
  const entries = tree instanceof Map ? [...(tree as ReadonlyMap<string, unknown>)] : leafEntries("flattenTree", tree);
  for (const [name, leaf] of entries) {
    if (named.has(name)) throw new InputError(`flattenTree: two leaves are called ${quoted(name)}; keys that contain dots can collide`);
    named.set(name, leafValue("flattenTree", name, leaf));
  }
  return named;
}

/**
 * The tree whose leaves have the given dotted names. Without `like`, each name is spelt out: a node whose entries are called 0, 1, … n - 1
 * is an array, any other an object. With `like`, the tree has that structure, and every leaf must be there, in the shape that it has in
 * `like`. Throws InputError for names that contradict each other ("a" beside "a.b"), for missing and unexpected ones; ShapeError for another
 * shape. The error names all that does not fit.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const dict = new Map([["layers.0.weight", value([1, 2])], ["layers.1.weight", value([3, 4])]]);
 * const { layers } = unflattenTree(dict, { layers: [{ weight: [0, 0] }, { weight: [0, 0] }] });
 * console.log(layers[1]?.weight.toArray()); // [ 3, 4 ]
 */
export function unflattenTree(dict: StateDict): ValueTree;
export function unflattenTree<T extends Tree>(dict: StateDict, like: T): ValuesOf<T>;
export function unflattenTree(dict: StateDict, like?: Tree): unknown {
  const given = flattenDict("unflattenTree", dict);
  if (like === undefined) return spelledOut(given);
  const values = matched("unflattenTree", flattenTree(like), given);
  let k = 0;
  return mapLeaves("unflattenTree", like, () => values[k++]);
}

/** A state dict as a Map of Values. Internal. */
export function flattenDict(op: string, dict: StateDict): Map<string, Value> {
  if (typeof dict !== "object" || dict === null || isLeaf(dict) || Array.isArray(dict))
    throw new InputError(`${op}: expected values by name, a Map or an object, got ${kindOf(dict)}`);
  const entries: Iterable<[string, Operand]> = dict instanceof Map ? (dict as Map<string, Operand>) : Object.entries(dict);
  return new Map(Array.from(entries, ([name, x]) => [name, leafValue(op, name, x)]));
}

/** The given values in the order of the expected ones. Throws an error that names everything that is missing, left over or misshapen. Internal. */
export function matched(op: string, expected: ReadonlyMap<string, Value>, given: ReadonlyMap<string, Value>): Value[] {
  const missing = [...expected.keys()].filter((name) => !given.has(name));
  const unexpected = [...given.keys()].filter((name) => !expected.has(name));
  const misshapen = [...expected].flatMap(([name, { shape }]) => {
    const found = given.get(name)?.shape;
    return found === undefined || sameShape(found, shape) ? [] : [`${quoted(name)} is ${text(found)}, expected ${text(shape)}`];
  });
  const faults = [
    ...(missing.length > 0 ? [`missing: ${listed(missing.map(quoted))}`] : []),
    ...(unexpected.length > 0 ? [`unexpected: ${listed(unexpected.map(quoted))}`] : []),
    ...(misshapen.length > 0 ? [`of another shape: ${listed(misshapen)}`] : []),
  ];
  if (faults.length === 0) return [...expected.keys()].map((name) => given.get(name) as Value);
  const message = `${op}: the names or shapes do not fit, and nothing was loaded. ${faults.join("; ")}`;
  throw missing.length + unexpected.length > 0 ? new InputError(message) : new ShapeError(message);
}

/** The tree with f of each leaf in its place; entries that are null or undefined stay. Internal. */
export function mapLeaves(op: string, tree: unknown, f: (leaf: Value, name: string) => unknown, path = "", depth = 0): unknown {
  if (tree === null || tree === undefined) return tree;
  if (isLeaf(tree)) return f(leafValue(op, path, tree), path);
  checkNode(op, tree, path, depth);
  const inside = (key: string, entry: unknown): unknown => mapLeaves(op, entry, f, path === "" ? key : `${path}.${key}`, depth + 1);
  if (Array.isArray(tree)) return tree.map((entry, k) => inside(String(k), entry));
  return Object.fromEntries(Object.entries(tree).map(([key, entry]) => [key, inside(key, entry)]));
}

/** The leaves of a tree with their dotted names; a bare leaf is called "". Internal. */
export function leafEntries(op: string, tree: unknown): [name: string, leaf: Value][] {
  const entries: [string, Value][] = [];
  mapLeaves(op, tree, (leaf, name) => {
    entries.push([name, leaf]);
    return leaf;
  });
  return entries;
}

function checkNode(op: string, tree: unknown, path: string, depth: number): void {
  const where = path === "" ? "the tree" : `the entry ${quoted(path)}`;
  if (typeof tree !== "object")
    throw new InputError(`${op}: ${where} is ${kindOf(tree)}; trees hold Values, numbers and arrays of numbers`);
  if (depth > DEEPEST) throw new InputError(`${op}: ${where} lies deeper than ${DEEPEST} levels`);
}

/** As in the engine's transforms: a Value, a number, a typed array, or a nest of numbers. */
function isLeaf(x: unknown): boolean {
  return x instanceof Value || typeof x === "number" || isNumericArray(x) || (Array.isArray(x) && x.length > 0 && isNest(x));
}

function isNumericArray(x: unknown): boolean {
  return ArrayBuffer.isView(x) && !(x instanceof DataView);
}

function isNest(x: unknown): x is NestedNumbers {
  return Array.isArray(x) && x.every((entry) => typeof entry === "number" || isNest(entry));
}

function leafValue(op: string, name: string, x: unknown): Value {
  if (x instanceof Value) return x;
  if (isLeaf(x)) return value(x as NumericInput);
  throw new InputError(`${op}: ${quoted(name)} is ${kindOf(x)}; expected a Value, a number or an array of numbers`);
}

type Branch = Map<string, Branch | Value>;

function spelledOut(dict: ReadonlyMap<string, Value>): unknown {
  const root: Branch = new Map();
  for (const [name, x] of dict) graft(root, name, x);
  return pruned(root);
}

function graft(root: Branch, name: string, x: Value): void {
  const keys = name.split(".");
  if (keys.length > DEEPEST) throw new InputError(`unflattenTree: ${quoted(name)} lies deeper than ${DEEPEST} levels`);
  const last = keys.pop() as string;
  let branch = root;
  for (const key of keys) {
    const next = branch.get(key) ?? new Map<string, Branch | Value>();
    if (next instanceof Value) throw contradiction(name);
    branch.set(key, next);
    branch = next;
  }
  if (branch.has(last)) throw contradiction(name);
  branch.set(last, x);
}

function contradiction(name: string): InputError {
  return new InputError(
    `unflattenTree: ${quoted(name)} and another name contradict each other: one is a value, the other a node of the tree`,
  );
}

function pruned(branch: Branch | Value): unknown {
  if (branch instanceof Value) return branch;
  const isList = branch.size > 0 && Array.from({ length: branch.size }, (_, k) => branch.has(String(k))).every(Boolean);
  if (isList) return Array.from({ length: branch.size }, (_, k) => pruned(branch.get(String(k)) as Branch | Value));
  return Object.fromEntries([...branch].map(([key, entry]) => [key, pruned(entry)]));
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, k) => length === b[k]);
}

const text = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** At most ten of many, so that a wrong file does not fill the screen. */
function listed(all: readonly string[]): string {
  return all.length <= 10 ? all.join(", ") : `${all.slice(0, 10).join(", ")} and ${all.length - 10} more`;
}

/** A name as it can be printed, shortened: it may come from a hostile file. Internal. */
export function quoted(name: string): string {
  return JSON.stringify(name.length <= 80 ? name : `${name.slice(0, 79)}…`);
}

function kindOf(x: unknown): string {
  if (x === null) return "null";
  if (typeof x === "function") return "a function";
  if (typeof x === "object") return Array.isArray(x) ? "an array" : "an object";
  return typeof x === "undefined" ? "undefined" : `a ${typeof x}`;
}
