import { GraphError, InputError, ShapeError } from "../errors.js";
import { ArrayType, NdArray, type Payload, typeOf } from "../ops/array.js";
import { cotangentOf } from "../ops/differentiate.js";
import type { Linearization } from "../ops/op.js";
import { addInto, addPayloads, filledPayload, raw, runPartial } from "../ops/raw.js";
import { unbroadcast } from "../ops/shapes.js";
import { formatShape, sameShape } from "../shape.js";
import { type Operand, recordedAlgebra, toValue } from "./apply.js";
import { ArrayNode, type Kept, type Origin } from "./arrayNode.js";
import { graphOf, pullBack } from "./graph.js";
import { type HookedNode, hooksOfLeaf, runHooks } from "./hooks.js";
import { sweep, type SweepEvents } from "./scalar.generated.js";
import {
  CAPACITY,
  compact,
  type Core,
  EARLIER,
  HOOKED,
  openCoreOf,
  PARAM,
  RELEASED,
  RELEASED_SEGMENT,
  recycle,
  releasedError,
  Segment,
  type Source,
} from "./segments.js";
import { Param, Value } from "./value.js";

export interface BackwardOptions {
  /** Initial cotangent, of the value's shape; default 1 for a scalar. */
  readonly seed?: Operand;
  /** Records the backward pass, so that gradients are differentiable again; keeps the graph. */
  readonly createGraph?: boolean;
  /** Keeps the graph for another backward pass, whose gradients add. */
  readonly retainGraph?: boolean;
}

/** See Value.backward. */
export function backward(root: Value, { seed, createGraph = false, retainGraph = false }: BackwardOptions): void {
  if (root.origin === null) {
    throw new GraphError(
      "backward: this value needs no gradient: it is a constant, or was computed under noGrad or from constants only. Start from a param(…), or take it out of noGrad",
    );
  }
  const cotangent = seedOf(root, seed);
  if (createGraph) return recordedBackward(root, cotangent);
  const pass = new BackwardPass(null);
  try {
    pass.run([root], [cotangent.payload]);
    const commits = pass.leafGradients();
    pass.commit(retainGraph);
    for (const commit of commits) commit();
    if (!retainGraph && root.origin instanceof Segment) root.origin = RELEASED_SEGMENT;
  } finally {
    pass.cleanUp();
  }
}

function seedOf(root: Value, seed: Operand | undefined): Value {
  if (seed === undefined) {
    if (root.size === 1) return new Value(null, 0, filledPayload(root.type, 1));
    throw new GraphError(
      `backward: a value of shape ${formatShape(root.shape)} has no single gradient; reduce it to a scalar (sum, mean), or give backward({ seed }) of its shape`,
    );
  }
  const given = toValue("backward", seed);
  if (sameShape(given.shape, root.shape)) return given;
  throw new ShapeError(
    `backward: the seed has shape ${formatShape(given.shape)}, the value ${formatShape(root.shape)}; they must be equal`,
  );
}

/** With createGraph: the same rules, on recorded Values. */
function recordedBackward(root: Value, seed: Value): void {
  const commits: (() => void)[] = [];
  const atCommit = (f: () => void) => void commits.push(f);
  const graph = graphOf([root], null);
  const gradients = pullBack(graph, recordedAlgebra, [seed], { operand: (x) => x, hook: (hooks, g) => runHooks(hooks, g, atCommit) });
  for (const [leaf, gradient] of gradients) {
    const hooked = runHooks(hooksOfLeaf(leaf as Param), gradient, atCommit);
    atCommit(() => (leaf as Param).collect(hooked));
  }
  for (const commit of commits) commit();
}

/** Nodes recorded before a transform began are not its business: what lies below the floor is noted as foreign, not followed. */
export interface Floor {
  readonly segmentId: number;
  readonly offset: number;
  readonly sequence: number;
}

// Scratch columns, all zero between passes; pooled, since a pass over a long tape needs them for one segment at a time.
const spareAdjoints: Float64Array[] = [];
const spareMarks: Uint8Array[] = [];

/** A segment during a backward pass. */
export class PendingSegment {
  readonly core: Core;
  adjoint: Float64Array;
  readonly mark: Uint8Array;
  sources: readonly (Source | null)[];
  /** The sweep goes from `hi` down to `lo`, and stops where an array node must run first: at `limit`. */
  hi: number;
  lo: number;
  limit = 0;
  hiImport = -1;
  visited = 0;
  queued = true;
  /** Every node was visited, or the pass is over: the scratch is back in the pool. */
  complete = false;
  /** Lowest and highest places ever marked. */
  lowest: number;
  highest: number;

  constructor(core: Core, sources: readonly (Source | null)[], place: number) {
    this.core = core;
    this.sources = sources;
    this.adjoint = spareAdjoints.pop() ?? new Float64Array(CAPACITY);
    this.mark = spareMarks.pop() ?? new Uint8Array(CAPACITY);
    this.hi = this.lo = this.lowest = this.highest = place;
  }

  /** Returns the scratch: marks are cleared over the range that was touched, adjoints are zero by now unless a throw ended the pass. */
  giveBack(dirty: boolean): void {
    if (this.complete) return;
    this.complete = true;
    if (dirty) this.adjoint.fill(0);
    this.mark.fill(0, dirty ? 0 : this.lowest, dirty ? CAPACITY : this.highest + 1);
    spareMarks.push(this.mark);
    spareAdjoints.push(this.adjoint);
  }

  touch(place: number, d: number, sources: readonly (Source | null)[]): void {
    (this.adjoint[place] as number) += d;
    this.mark[place] = 1;
    if (place > this.hi) this.hi = place;
    if (place < this.lo) this.lo = place;
    if (place > this.highest) this.highest = place;
    if (sources !== this.sources) this.sources = this.sources.map((s, k) => s ?? sources[k] ?? null);
  }
}

/** One numeric backward pass: sweeps segments and array nodes in the reverse order of recording. */
export class BackwardPass implements SweepEvents {
  /** Leaves reached, with what came back to them. */
  readonly staged = new Map<Param, { payload: Payload; owned: boolean }>();
  /** Whether something below the floor was reached. */
  foreign = false;
  private readonly floor: Floor | null;
  private readonly segments = new Map<Core, PendingSegment>();
  /** Pending segments by id and array nodes by sequence, the latest last. */
  private readonly queue: PendingSegment[] = [];
  private readonly heap: ArrayNode[] = [];
  private readonly ran: ArrayNode[] = [];
  private readonly commits: (() => void)[] = [];
  private readonly unhooked: { core: Core; place: number }[] = [];
  private readonly atCommit = (f: () => void): void => void this.commits.push(f);

  constructor(floor: Floor | null) {
    this.floor = floor;
  }

  run(roots: readonly Value[], seeds: readonly Payload[]): void {
    roots.forEach((root, k) => {
      if (root.origin !== null) this.deliver(root.origin, root.index, seeds[k] as Payload);
    });
    for (;;) {
      const segment = this.queue[this.queue.length - 1];
      const node = this.heap[0];
      if (segment === undefined && node === undefined) return;
      if (segment !== undefined && (node === undefined || isBefore(node, segment))) this.sweepSegment(segment, node);
      else this.runNode(popLatest(this.heap));
    }
  }

  /** Gradients of the leaves after their hooks, as functions that add them to `.grad`. */
  leafGradients(): (() => void)[] {
    for (const [leaf, { payload }] of this.staged) {
      const gradient = runHooks(hooksOfLeaf(leaf), new Value(null, 0, payload), this.atCommit);
      this.commits.push(() => leaf.collect(gradient));
    }
    return this.commits;
  }

  /** Releases what was visited. Nothing here may throw. */
  commit(retainGraph: boolean): void {
    this.rehook();
    if (retainGraph) return;
    for (const node of this.ran) node.release();
    for (const p of this.segments.values()) releaseVisited(p);
  }

  /** Leaves no dirty scratch behind, after a throw either. */
  cleanUp(): void {
    this.rehook();
    for (const node of this.heap) endPending(node);
    for (const p of this.segments.values()) p.giveBack(this.queue.includes(p));
    this.segments.clear();
  }

  private rehook(): void {
    for (const { core, place } of this.unhooked) core.op[place] = HOOKED;
    this.unhooked.length = 0;
  }

  private deliver(origin: Origin, index: number, d: Payload): void {
    if (origin instanceof Param) this.stage(origin, d);
    else if (origin instanceof ArrayNode) this.touchNode(origin, index, d);
    else this.touchScalar(origin, index, d as number);
  }

  private stage(leaf: Param, d: Payload): void {
    const before = this.staged.get(leaf);
    if (before === undefined) this.staged.set(leaf, { payload: d, owned: false });
    else accumulateInto(before, d);
  }

  private touchNode(node: ArrayNode, output: number, d: Payload): void {
    if (this.floor !== null && node.sequence < this.floor.sequence) {
      this.foreign = true;
      return;
    }
    if (node.released) this.released();
    if (node.cotangents === null) {
      node.cotangents = node.outputs.map(() => null);
      node.pendingIn = this;
      pushNode(this.heap, node);
    } else if (node.pendingIn !== this) {
      throw new GraphError(
        "backward: a hook started a backward pass through the graph that is being swept; detach() what the hook computes with",
      );
    }
    const slot = { payload: node.cotangents[output] as Payload, owned: node.owned };
    if (node.cotangents[output] === null) node.cotangents[output] = d;
    else {
      accumulateInto(slot, d);
      node.cotangents[output] = slot.payload;
      node.owned = slot.owned && node.outputs.length === 1;
    }
  }

  private touchScalar(segment: Segment, offset: number, d: number): void {
    const { core, sources } = segment;
    if (this.isBelowFloor(core, offset)) {
      this.foreign = true;
      return;
    }
    const place = core.locate(offset);
    if (place < 0) this.released();
    let p = this.segments.get(core);
    if (p === undefined) {
      p = new PendingSegment(core, sources, place);
      this.segments.set(core, p);
      this.enqueue(p);
    } else if (!p.queued) {
      p.hi = p.lo = place;
      p.queued = true;
      this.enqueue(p);
    }
    p.touch(place, d, sources);
  }

  private isBelowFloor(core: Core, offset: number): boolean {
    const { floor } = this;
    return floor !== null && (core.id < floor.segmentId || (core.id === floor.segmentId && offset < floor.offset));
  }

  private enqueue(p: PendingSegment): void {
    const { queue } = this;
    let k = queue.push(p) - 1;
    while (k > 0 && (queue[k - 1] as PendingSegment).core.id > p.core.id) {
      queue[k] = queue[k - 1] as PendingSegment;
      k--;
    }
    queue[k] = p;
  }

  private sweepSegment(p: PendingSegment, next: ArrayNode | undefined): void {
    const { core } = p;
    const floorPlace = this.floor !== null && core.id === this.floor.segmentId ? core.placeAfter(this.floor.offset) : 0;
    p.limit = Math.max(floorPlace, next !== undefined && next.segmentId === core.id ? core.placeAfter(next.offset) : 0);
    sweep(p, this);
    if (p.lo < p.lowest) p.lowest = p.lo;
    if (p.lo <= p.hi && p.hi >= floorPlace) return; // an array node comes first
    if (p.lo < floorPlace) this.leaveBelow(p, floorPlace);
    this.handOver(p);
    this.queue.splice(this.queue.indexOf(p), 1);
    p.queued = false;
    // Nothing can come back to a segment of which every node was visited: the next one gets its scratch while it is warm.
    if (p.visited + core.freed === core.n) p.giveBack(false);
  }

  /** What the sweep touched below the floor is foreign: its adjoints are dropped. */
  private leaveBelow(p: PendingSegment, floorPlace: number): void {
    this.foreign = true;
    p.adjoint.fill(0, p.lo, floorPlace);
    p.mark.fill(0, p.lo, floorPlace);
    p.lo = floorPlace;
  }

  /** Adjoints of imports leave the segment. */
  private handOver(p: PendingSegment): void {
    const { core, adjoint, mark, sources } = p;
    const { op, a, b, top } = core;
    for (let i = p.hiImport; i >= top; i--) {
      if (mark[i] === 0) continue;
      mark[i] = 0;
      const d = adjoint[i] as number;
      adjoint[i] = 0;
      const source = sources[a[i] as number];
      if (op[i] === PARAM) this.stage(source as Param, d);
      else if (op[i] === EARLIER) this.touchScalar(source as Segment, b[i] as number, d);
    }
    p.hiImport = -1;
    p.lo = CAPACITY;
  }

  node(p: PendingSegment, i: number, d: number): number {
    const { core } = p;
    const node = p.sources[core.a[i] as number] as ArrayNode;
    this.touchNode(node, core.b[i] as number, d);
    return node.segmentId === core.id && node.pendingIn === this ? core.placeAfter(node.offset) : 0;
  }

  hook(p: PendingSegment, i: number, d: number): void {
    const { core } = p;
    const entry = core.hooks?.get(i) as HookedNode;
    p.adjoint[i] = runHooks(entry.hooks, new Value(null, 0, d), this.atCommit).item();
    core.op[i] = entry.code;
    this.unhooked.push({ core, place: i });
  }

  released(): never {
    return releasedError();
  }

  private runNode(node: ArrayNode): void {
    const cotangents = node.cotangents as (Payload | null)[];
    endPending(node);
    this.ran.push(node);
    node.hooks?.forEach((hooks, k) => {
      const d = cotangents[k];
      if (d !== null && d !== undefined) cotangents[k] = runHooks(hooks, new Value(null, 0, d), this.atCommit).payload;
    });
    const { op, origins, operands, indices, outputs } = node;
    const at = op.kind === "structural" ? linearization(node) : null;
    for (let k = 0; k < origins.length; k++) {
      const origin = origins[k] as Origin | null;
      if (origin === null) continue;
      const type = kindOfKept(operands[k] as Kept);
      const d =
        op.kind === "elementwise"
          ? unbroadcast(raw, runPartial(op, k, cotangents[0] as Payload, operands, outputs[0] as Kept), type)
          : cotangentOf(raw, op, k, cotangents, at as Linearization<Payload, unknown>);
      this.deliver(origin, indices[k] as number, d);
    }
  }
}

function kindOfKept(x: Kept): ArrayType {
  return x instanceof ArrayType ? x : typeOf(x);
}

function linearization(node: ArrayNode): Linearization<Payload, unknown> {
  return {
    attributes: node.attributes,
    types: node.operands.map(kindOfKept),
    outTypes: node.outputs.map(kindOfKept),
    operand: (k) => kept(node.operands[k] as Kept),
    output: (k) => kept(node.outputs[k] as Kept),
  };
}

function kept(x: Kept): Payload {
  if (x instanceof ArrayType) throw new InputError("a rule reads an operand or output that it does not list under `keeps`");
  return x;
}

/** Adds d; the first sum makes an array of our own, to which later ones are added in place. */
function accumulateInto(slot: { payload: Payload; owned: boolean }, d: Payload): void {
  const { payload } = slot;
  if (slot.owned && payload instanceof NdArray && d instanceof NdArray) addInto(payload, d);
  else {
    slot.payload = addPayloads(payload, d);
    slot.owned = true;
  }
}

function endPending(node: ArrayNode): void {
  node.cotangents = null;
  node.pendingIn = null;
  node.owned = false;
}

/** Whether an array node was recorded before the next scalar node to be swept. */
function isBefore(node: ArrayNode, { core, hi }: PendingSegment): boolean {
  if (node.segmentId !== core.id) return node.segmentId < core.id;
  return core.placeAfter(node.offset) <= hi;
}

function pushNode(heap: ArrayNode[], node: ArrayNode): void {
  let k = heap.push(node) - 1;
  while (k > 0) {
    const parent = (k - 1) >> 1;
    if ((heap[parent] as ArrayNode).sequence >= node.sequence) break;
    heap[k] = heap[parent] as ArrayNode;
    k = parent;
  }
  heap[k] = node;
}

function popLatest(heap: ArrayNode[]): ArrayNode {
  const latest = heap[0] as ArrayNode;
  const last = heap.pop() as ArrayNode;
  if (heap.length === 0) return latest;
  let k = 0;
  for (;;) {
    let child = 2 * k + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as ArrayNode).sequence > (heap[child] as ArrayNode).sequence) child++;
    if ((heap[child] as ArrayNode).sequence <= last.sequence) break;
    heap[k] = heap[child] as ArrayNode;
    k = child;
  }
  heap[k] = last;
  return latest;
}

const COMPACT_FROM = 1024;

/** Marks what was visited as released; gives the columns back where nothing, or little, is left. */
function releaseVisited(p: PendingSegment): void {
  const { core, mark } = p;
  if (core.released) return;
  if (p.visited + core.freed === core.n) return recycle(core);
  const { op } = core;
  for (let i = p.lowest; i <= p.highest; i++) {
    if (mark[i] === 0 || op[i] === RELEASED) continue;
    op[i] = RELEASED;
    core.freed++;
    core.hooks?.delete(i);
  }
  if (core.hooks?.size === 0) core.hooks = null;
  const open = core === openCoreOf();
  const share = core.freed / core.n;
  if (core.n >= COMPACT_FROM && share >= (open ? 0.875 : 0.5)) compact(core);
}
