import { GraphError } from "../errors.js";
import { filledPayload } from "../ops/array.js";
import { raw } from "../ops/raw.js";
import { graphOf, pullBack } from "../tape/graph.js";
import { Value } from "../tape/value.js";

export interface ContributionOptions {
  /** One share for each use of the leaf (default), or one for each scope in which it was used. */
  readonly by?: "use" | "scope";
}

export interface Contribution {
  /** The scope in which the leaf was used; "" outside any. */
  readonly label: string;
  /** This share of the gradient, in the leaf's shape. */
  readonly value: Value;
}

/**
 * What each use of `leaf` contributes to d root / d leaf, in order of recording; the shares add up to the gradient (before hooks,
 * which do not run). The graph is kept,
 * no `.grad` is touched. `leaf` is a param, or an interior value of the graph. Throws GraphError where the root is
 * no scalar or the leaf a constant.
 *
 * @example
 * import { param } from "@unroll/autograd";
 * import { contributions } from "@unroll/autograd/inspect";
 * const w = param(2);
 * const y = w.mul(3).add(w.square());
 * console.log(contributions(y, w).map(({ value }) => value.item())); // [ 3, 4 ]
 */
export function contributions(root: Value, leaf: Value, { by = "use" }: ContributionOptions = {}): Contribution[] {
  if (root.size !== 1)
    throw new GraphError(`contributions: the root has shape [${root.shape.join(", ")}]; reduce it to a scalar (sum, mean)`);
  if (leaf.origin === null)
    throw new GraphError(
      "contributions: the leaf is a constant, of which there is no gradient; give a param, or a value that depends on one",
    );
  if (leaf === root) return [{ label: "", value: new Value(null, 0, filledPayload(root.type, 1)) }];
  const shares: { label: string; value: Value; order: readonly number[] }[] = [];
  const everything = { segmentId: -1, offset: 0, sequence: -1 };
  const graph = graphOf([root], { targets: [leaf], floor: everything });
  pullBack(graph, raw, [filledPayload(root.type, 1)], {
    operand: (x) => x.payload,
    onEdge: (node, k, source, cotangent) => {
      if (source === null || !("leaf" in source)) return;
      shares.push({ label: node.scope ?? "", value: new Value(null, 0, cotangent), order: [...node.order, k] });
    },
  });
  shares.sort((p, q) => compare(p.order, q.order));
  return by === "use" ? shares.map(({ label, value }) => ({ label, value })) : byScope(shares);
}

function compare(p: readonly number[], q: readonly number[]): number {
  const k = p.findIndex((x, j) => x !== q[j]);
  return k < 0 ? 0 : (p[k] as number) - (q[k] as number);
}

function byScope(shares: readonly Contribution[]): Contribution[] {
  const sums = new Map<string, Value>();
  for (const { label, value } of shares) sums.set(label, sums.get(label)?.add(value) ?? value);
  return [...sums].map(([label, value]) => ({ label, value }));
}
