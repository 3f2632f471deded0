/** Trees of values: arrays and plain objects, down to leaves that a predicate tells. */

/** Maps every leaf; keys and order are kept. `path` reads like `.layers[0].weight`. */
export function mapTree(tree: unknown, isLeaf: (x: unknown) => boolean, f: (leaf: unknown, path: string) => unknown, path = ""): unknown {
  if (isLeaf(tree)) return f(tree, path);
  // A key without a value (an optional weight) is no leaf.
  if ((tree === undefined || tree === null) && path !== "") return tree;
  if (Array.isArray(tree)) return tree.map((entry, k) => mapTree(entry, isLeaf, f, `${path}[${k}]`));
  if (typeof tree === "object" && tree !== null) {
    return Object.fromEntries(Object.entries(tree).map(([key, entry]) => [key, mapTree(entry, isLeaf, f, `${path}.${key}`)]));
  }
  return f(tree, path);
}

/** The leaves in order, with their paths. */
export function leavesOf(tree: unknown, isLeaf: (x: unknown) => boolean): { leaf: unknown; path: string }[] {
  const leaves: { leaf: unknown; path: string }[] = [];
  mapTree(tree, isLeaf, (leaf, path) => {
    leaves.push({ leaf, path });
    return leaf;
  });
  return leaves;
}

/** Calls f with every leaf in order: what mapTree would, without paths, and without making a tree. */
export function eachLeaf(tree: unknown, isLeaf: (x: unknown) => boolean, f: (leaf: unknown) => void): void {
  if (isLeaf(tree) || typeof tree !== "object" || tree === null) return f(tree);
  for (const entry of Object.values(tree) as unknown[]) if (entry !== undefined && entry !== null) eachLeaf(entry, isLeaf, f);
}
