/** Weights into params. */
import { InputError, Param } from "@unroll/autograd";
import { flattenDict, flattenTree, matched, quoted, type StateDict } from "./tree.js";

/**
 * Sets the params of a tree to the values of the same dotted names (see flattenTree), such as readSafetensors gives. All or nothing: names
 * and shapes are checked first, and where any does not fit, nothing changes. Values are converted to the params' dtypes: float64 into a
 * float32 param is rounded.
 * Throws InputError for a missing or unexpected name, a tensor of integers or bools, and a leaf of the tree that is no param; ShapeError for
 * another shape. The error names all that does not fit.
 *
 * @example
 * import { param } from "@unroll/autograd";
 * const params = { weight: param([0, 0]), bias: param([0]) };
 * loadStateDict(params, { weight: [1, 2], bias: [3] });
 * console.log(params.weight.toArray()); // [ 1, 2 ]
 */
export function loadStateDict(params: object, dict: StateDict): void {
  const expected = flattenTree(params);
  const leaves = [...expected].map(([name, leaf]) => {
    if (leaf instanceof Param) return leaf;
    throw new InputError(`loadStateDict: ${quoted(name)} is no param and cannot be set; unflattenTree makes a new tree of values`);
  });
  const given = flattenDict("loadStateDict", dict);
  const values = matched("loadStateDict", expected, given);
  const odd = [...expected.keys()].find((_, k) => values[k]?.dtype === "int32" || values[k]?.dtype === "bool");
  if (odd !== undefined)
    throw new InputError(`loadStateDict: ${quoted(odd)} is ${given.get(odd)?.dtype}, but params are floating; nothing was loaded`);
  leaves.forEach((leaf, k) => leaf.set(values[k]!.detach()));
}
