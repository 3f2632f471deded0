import type { ArrayAlgebra } from "../ops/algebra.js";
import { cotangentOf, tangentsOf } from "../ops/differentiate.js";
import type { ElementwiseOp, Linearization, Op, StructuralOp } from "../ops/op.js";
import { ArrayNode, type Kept, linearizationOf, type Origin } from "./arrayNode.js";
import { type Floor, isBelow } from "./pass.js";
import { RELEASED, releasedError, Segment, valueAt } from "./segments.js";
import { FIRST_CODE, scalarOps } from "./scalar.generated.js";
import { Param, Value } from "./value.js";

/**
 * A recorded graph read off the tape as plain objects: what recorded backward passes, forward mode, shares of a gradient and pictures
 * work on. Slower than a sweep of columns, and the same for scalars and arrays.
 */

/** What a derivative is asked for: a leaf, or a value that stands for an argument. */
export type Leaf = Value;

/** Where an operand comes from. */
type GraphSource = { readonly node: GraphNode; readonly output: number } | { readonly leaf: Leaf } | null;

export interface GraphNode {
  readonly op: Op;
  readonly attributes: unknown;
  readonly scope: string | null;
  /** null for constants, and for what a transform does not follow. */
  sources: GraphSource[];
  readonly operands: Kept[];
  readonly origins: readonly (Origin | null)[];
  readonly indices: readonly number[];
  readonly outputs: Kept[];
  /** The Value that an output is, as origin and index. */
  readonly origin: Origin;
  readonly index: number;
  /** Ascending in order of recording: array nodes stand before the scalar node recorded next. */
  readonly order: readonly [segment: number, offset: number, sequence: number];
}

export interface Graph {
  /** In reverse order of recording. */
  readonly nodes: readonly GraphNode[];
  readonly roots: readonly GraphSource[];
  /** Whether it depends on anything but the targets: then its derivatives can be differentiated again. */
  readonly foreign: boolean;
}

interface Region {
  readonly targets: readonly Value[];
  readonly floor: Floor;
}

/** What the roots depend on. Under a scope, only what lies between its targets and the roots is followed. */
export function graphOf(roots: readonly Value[], scope: Region | null): Graph {
  const reader = new GraphReader(scope);
  const sources = roots.map((root) => reader.sourceOf(root.origin, root.index));
  reader.expandAll();
  const nodes = [...reader.nodes].sort(latestFirst);
  return { nodes, roots: sources, foreign: reader.foreign };
}

function latestFirst({ order: p }: GraphNode, { order: q }: GraphNode): number {
  return q[0] - p[0] || q[1] - p[1] || q[2] - p[2];
}

class GraphReader {
  readonly nodes: GraphNode[] = [];
  foreign = false;
  private readonly scope: Region | null;
  private readonly known = new Map<object, Map<number, GraphNode>>();
  private readonly targets = new Map<object, Map<number, Value>>();
  private expanded = 0;

  constructor(scope: Region | null) {
    this.scope = scope;
    for (const target of scope?.targets ?? [])
      if (target.origin !== null) entryOf(this.targets, keyOf(target.origin)).set(target.index, target);
  }

  /** Follows every node found until none is left; no recursion, since a graph may be a chain of a million steps. */
  expandAll(): void {
    for (; this.expanded < this.nodes.length; this.expanded++) {
      const node = this.nodes[this.expanded] as GraphNode;
      node.sources = node.origins.map((origin, k) => this.sourceOf(origin, node.indices[k] as number));
    }
  }

  sourceOf(origin: Origin | null, index: number): GraphSource {
    if (origin === null) return null;
    const target = this.targets.get(keyOf(origin))?.get(index);
    if (target !== undefined) return { leaf: target };
    if (origin instanceof Param) return this.scope === null ? { leaf: origin } : this.notFollowed();
    if (isBelow(this.scope?.floor ?? null, origin, index)) return this.notFollowed();
    const isArray = origin instanceof ArrayNode;
    const known = entryOf(this.known, keyOf(origin));
    const key = isArray ? 0 : index;
    let node = known.get(key);
    if (node === undefined) {
      node = isArray ? arrayNode(origin) : scalarNode(origin, index);
      known.set(key, node);
      this.nodes.push(node);
    }
    return { node, output: isArray ? index : 0 };
  }

  private notFollowed(): null {
    this.foreign = true;
    return null;
  }
}

function keyOf(origin: Origin): object {
  return origin instanceof Segment ? origin.core : origin;
}

function entryOf<K, V>(map: Map<K, Map<number, V>>, key: K): Map<number, V> {
  let entry = map.get(key);
  if (entry === undefined) map.set(key, (entry = new Map<number, V>()));
  return entry;
}

function arrayNode(from: ArrayNode): GraphNode {
  if (from.released) releasedError();
  const { op, attributes, scope, operands, origins, indices, outputs, segmentId, offset, sequence } = from;
  return {
    op,
    attributes,
    scope,
    sources: [],
    operands,
    origins,
    indices,
    outputs,
    origin: from,
    index: 0,
    order: [segmentId, offset, sequence],
  };
}

/** A node of a segment's columns. */
function scalarNode(segment: Segment, offset: number): GraphNode {
  const { core } = segment;
  const place = core.locate(offset);
  if (place < 0) releasedError();
  const code = core.codeAt(place);
  if (code === RELEASED) releasedError();
  const op = scalarOps[code - FIRST_CODE] as ElementwiseOp;
  const places = [core.a[place] as number, core.b[place] as number].slice(0, op.arity);
  const operands = places.map((p) => (core.op[p] === RELEASED ? releasedError() : valueAt(segment, p)));
  return {
    op,
    attributes: null,
    scope: core.scopeAt(offset),
    sources: [],
    operands: places.map((p) => core.v[p] as number),
    origins: operands.map(({ origin }) => origin),
    indices: operands.map(({ index }) => index),
    outputs: [core.v[place] as number],
    origin: segment,
    index: offset,
    order: [core.id, offset, Number.MAX_VALUE],
  };
}

/** How a reader sees the operands and outputs of recorded nodes. */
export interface OperandReader<T> {
  /** A recorded operand or output as a value of the reader. */
  readonly operand: (x: Value) => T;
  /** Called with each cotangent that a node gives an operand. */
  readonly onEdge?: (node: GraphNode, k: number, source: GraphSource, cotangent: T) => void;
}

function linearized<T>(node: GraphNode, reader: OperandReader<T>): Linearization<T, unknown> {
  const { origins, indices, origin, index } = node;
  return linearizationOf(
    node,
    (x, k) => reader.operand(new Value(origins[k] ?? null, indices[k] as number, x)),
    (x, k) => reader.operand(new Value(origin, origin instanceof ArrayNode ? k : index, x)),
  );
}

/** Reverse mode: the cotangent of every leaf, from those of the roots (null where there is none). */
export function pullBack<T>(graph: Graph, m: ArrayAlgebra<T>, seeds: readonly (T | null)[], reader: OperandReader<T>): Map<Leaf, T> {
  const cotangents = new Map<GraphNode, (T | null)[]>();
  const leaves = new Map<Leaf, T>();
  const deliver = (source: GraphSource, d: T) => {
    if (source === null) return;
    if ("leaf" in source) {
      const before = leaves.get(source.leaf);
      leaves.set(source.leaf, before === undefined ? d : m.add(before, d));
      return;
    }
    let outputs = cotangents.get(source.node);
    if (outputs === undefined) cotangents.set(source.node, (outputs = source.node.outputs.map(() => null)));
    const before = outputs[source.output] ?? null;
    outputs[source.output] = before === null ? d : m.add(before, d);
  };
  graph.roots.forEach((source, k) => {
    const seed = seeds[k] ?? null;
    if (seed !== null) deliver(source, seed);
  });
  for (const node of graph.nodes) {
    const outputs = cotangents.get(node);
    if (outputs === undefined) continue;
    cotangents.delete(node);
    const at = linearized(node, reader);
    node.sources.forEach((source, k) => {
      if (source === null) return;
      const d = cotangentOf(m, node.op, k, outputs, at);
      reader.onEdge?.(node, k, source, d);
      deliver(source, d);
    });
  }
  return leaves;
}

export type Transposed<T> = (op: StructuralOp, tangents: readonly (T | null)[], at: Linearization<T, unknown>) => (T | null)[];

/** Forward mode: the tangent of every root (null where none reaches it), from those of the leaves. Nesting needs no tags: the tape is swept. */
export function pushForward<T>(
  graph: Graph,
  m: ArrayAlgebra<T>,
  tangents: ReadonlyMap<Leaf, T>,
  reader: OperandReader<T>,
  transposed: Transposed<T>,
): (T | null)[] {
  const known = new Map<GraphNode, (T | null)[]>();
  const tangentOf = (source: GraphSource): T | null => {
    if (source === null) return null;
    return "leaf" in source ? (tangents.get(source.leaf) ?? null) : (known.get(source.node)?.[source.output] ?? null);
  };
  for (let k = graph.nodes.length - 1; k >= 0; k--) {
    const node = graph.nodes[k] as GraphNode;
    const incoming = node.sources.map(tangentOf);
    if (incoming.every((t) => t === null)) continue;
    known.set(node, tangentsOf(m, node.op, incoming, linearized(node, reader), transposed));
  }
  return graph.roots.map(tangentOf);
}
