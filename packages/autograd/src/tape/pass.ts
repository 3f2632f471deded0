import { GraphError } from "../errors.js";
import { ArrayNode, nextArraySequence, type Origin } from "./arrayNode.js";
import { CAPACITY } from "./columns.js";
import type { HookedNode } from "./hooks.js";
import type { SweepEvents } from "./scalar.generated.js";
import { bisect, type Core, duringPass, EARLIER, HOOKED, openCoreOf, PARAM, releasedError, Segment, type Source } from "./segments.js";
import { Param, type Value } from "./value.js";

/** Nodes recorded before a transform began are not its business: what lies below the floor is noted as foreign, not followed. */
export interface Floor {
  readonly segmentId: number;
  readonly offset: number;
  readonly sequence: number;
}

/** The floor of a transform that begins here. */
export function floorHere(): Floor {
  const { id, n } = openCoreOf();
  return { segmentId: id, offset: n, sequence: nextArraySequence() };
}

export function isBelow(floor: Floor | null, origin: ArrayNode | Segment, index: number): boolean {
  if (floor === null) return false;
  if (origin instanceof ArrayNode) return origin.sequence < floor.sequence;
  const { id } = origin.core;
  return id < floor.segmentId || (id === floor.segmentId && index < floor.offset);
}

const spareMarks: Uint8Array[] = [];

/** A segment during a backward pass; A is its column of adjoints. */
export class PendingSegment<A> {
  readonly core: Core;
  readonly adjoint: A;
  readonly mark: Uint8Array;
  sources: readonly (Source | null)[];
  /** The sweep goes from `hi` down to `lo`, and stops where an array node must run first: at `limit`. */
  hi: number;
  lo: number;
  limit = 0;
  hiImport = -1;
  visited = 0;
  queued = false;
  /** Every node was visited, or the pass is over: the scratch is back in the pool. */
  complete = false;
  /** Lowest and highest places ever marked. */
  lowest: number;
  highest: number;

  constructor(core: Core, sources: readonly (Source | null)[], place: number, adjoint: A) {
    this.core = core;
    this.sources = sources;
    this.adjoint = adjoint;
    this.mark = spareMarks.pop() ?? new Uint8Array(CAPACITY);
    this.hi = this.lo = this.lowest = this.highest = place;
  }

  touch(place: number, sources: readonly (Source | null)[]): void {
    this.mark[place] = 1;
    if (place > this.hi) this.hi = place;
    if (place < this.lo) this.lo = place;
    if (place > this.highest) this.highest = place;
    if (sources !== this.sources) this.sources = this.sources.map((s, k) => s ?? sources[k] ?? null);
  }
}

/** What came back to a leaf or an output so far; `owned` where it was summed here and may be added to in place. */
export interface Staged<D> {
  cotangent: D;
  owned: boolean;
}

/**
 * A backward pass: runs segments and array nodes in the reverse order of recording. D is a cotangent: a payload, or a recorded Value.
 * Nothing that can be seen from outside changes before its commit.
 */
export abstract class Pass<D, A> implements SweepEvents<D, A> {
  /** Leaves reached, with what came back to them. */
  readonly staged = new Map<Value, Staged<D>>();
  /** Whether something below the floor was reached that is no target. */
  foreign = false;
  protected readonly segments = new Map<Core, PendingSegment<A>>();
  protected readonly ran: ArrayNode[] = [];
  protected readonly commits: (() => void)[] = [];
  protected readonly atCommit = (f: () => void): void => void this.commits.push(f);
  private readonly floor: Floor | null;
  private readonly targets: readonly Value[];
  /** Pending segments by id and array nodes by sequence, the latest last. */
  private readonly queue: PendingSegment<A>[] = [];
  private readonly nodes: ArrayNode[] = [];
  private readonly unhooked: { core: Core; place: number }[] = [];

  /** Stops at `floor`; `targets` are values below it that collect like leaves. */
  constructor(floor: Floor | null, targets: readonly Value[] = []) {
    this.floor = floor;
    this.targets = targets;
  }

  protected abstract newAdjoint(): A;
  /** Takes a column of adjoints back, which holds none any more unless `dirty`. */
  protected abstract giveBackAdjoint(adjoint: A, dirty: boolean): void;
  protected abstract addAdjoint(adjoint: A, place: number, d: D): void;
  /** The adjoint at a place, which is cleared. */
  protected abstract takeAdjoint(adjoint: A, place: number): D;
  protected abstract setAdjoint(adjoint: A, place: number, d: D): void;
  protected abstract accumulate(slot: Staged<D>, d: D): void;
  protected abstract sweepSegment(p: PendingSegment<A>): void;
  /** Passes a cotangent through the hooks of its value. */
  protected abstract hooked(hooks: HookedNode["hooks"] | undefined, d: D): D;
  /** The cotangent of operand k of an array node. */
  protected abstract cotangentsOf(node: ArrayNode, cotangents: readonly (D | null)[]): (k: number) => D;

  run(roots: readonly Value[], seeds: readonly D[]): void {
    duringPass(() => {
      roots.forEach((root, k) => {
        if (root.origin !== null) this.deliver(root.origin, root.index, seeds[k] as D);
      });
      while (this.runLatest());
    });
  }

  /** Runs whatever was recorded last of what is pending; false where nothing is. */
  private runLatest(): boolean {
    const segment = this.queue[this.queue.length - 1];
    const node = this.nodes[this.nodes.length - 1];
    if (segment !== undefined && (node === undefined || isBefore(node, segment))) this.advance(segment, node);
    else if (node !== undefined) this.runNode(this.nodes.pop() as ArrayNode);
    return segment !== undefined || node !== undefined;
  }

  /** Leaves no dirty scratch behind, after a throw either. */
  cleanUp(): void {
    this.rehook();
    for (const node of this.nodes) endPending(node);
    for (const p of this.segments.values()) this.giveBack(p, this.queue.includes(p));
    this.segments.clear();
  }

  protected rehook(): void {
    for (const { core, place } of this.unhooked) core.op[place] = HOOKED;
    this.unhooked.length = 0;
  }

  private deliver(origin: Origin, index: number, d: D): void {
    if (origin instanceof Param) this.stage(origin, d);
    else if (origin instanceof ArrayNode) this.touchNode(origin, index, d);
    else this.touchScalar(origin, index, d);
  }

  private stage(leaf: Value, d: D): void {
    const before = this.staged.get(leaf);
    if (before === undefined) this.staged.set(leaf, { cotangent: d, owned: false });
    else this.accumulate(before, d);
  }

  /** What lies below the floor collects if it is a target; otherwise it is foreign. */
  private leave(origin: object, index: number, d: D): void {
    const target = this.targets.find(
      (t) => t.index === index && (t.origin === origin || (t.origin instanceof Segment && t.origin.core === origin)),
    );
    if (target === undefined) this.foreign = true;
    else this.stage(target, d);
  }

  private touchNode(node: ArrayNode, output: number, d: D): void {
    if (isBelow(this.floor, node, output)) return this.leave(node, output, d);
    if (node.released) releasedError();
    if (node.cotangents === null) {
      node.cotangents = node.outputs.map(() => null);
      node.pendingIn = this;
      insert(this.nodes, node, (x) => x.sequence);
    } else if (node.pendingIn !== this) {
      throw new GraphError("backward: a hook started a backward pass through the graph of this one; detach() what the hook computes with");
    }
    const cotangents = node.cotangents as (D | null)[];
    const before = cotangents[output];
    if (before === null || before === undefined) cotangents[output] = d;
    else {
      const slot = { cotangent: before, owned: node.owned };
      this.accumulate(slot, d);
      cotangents[output] = slot.cotangent;
      node.owned = slot.owned && node.outputs.length === 1;
    }
  }

  private touchScalar(origin: Segment, offset: number, d: D): void {
    const { core, sources } = origin;
    if (isBelow(this.floor, origin, offset)) return this.leave(core, offset, d);
    const place = core.locate(offset);
    if (place < 0) releasedError();
    let p = this.segments.get(core);
    if (p === undefined) {
      p = new PendingSegment(core, sources, place, this.newAdjoint());
      this.segments.set(core, p);
    }
    if (!p.queued) {
      p.hi = p.lo = place;
      p.queued = true;
      insert(this.queue, p, (x) => x.core.id);
    }
    this.addAdjoint(p.adjoint, place, d);
    p.touch(place, sources);
  }

  /** Sweeps a segment as far as the array node that comes next. */
  private advance(p: PendingSegment<A>, next: ArrayNode | undefined): void {
    const { core } = p;
    const floorPlace = this.floor !== null && core.id === this.floor.segmentId ? core.placeAfter(this.floor.offset) : 0;
    p.limit = Math.max(floorPlace, next !== undefined && next.segmentId === core.id ? core.placeAfter(next.offset) : 0);
    this.sweepSegment(p);
    if (p.lo < p.lowest) p.lowest = p.lo;
    if (p.lo <= p.hi && p.hi >= floorPlace) return; // an array node comes first
    for (let place = p.lo; place < floorPlace; place++) {
      if (p.mark[place] === 0) continue;
      p.mark[place] = 0;
      this.leave(core, core.offsetOf(place), this.takeAdjoint(p.adjoint, place));
    }
    this.handOver(p);
    this.queue.splice(this.queue.indexOf(p), 1);
    p.queued = false;
    // Nothing can come back to a segment of which every node was visited: the next one gets its scratch while it is warm.
    if (p.visited + core.freed === core.n) this.giveBack(p, false);
  }

  /** Adjoints of imports leave the segment. */
  private handOver(p: PendingSegment<A>): void {
    const { core, adjoint, mark, sources } = p;
    for (let i = p.hiImport; i >= core.top; i--) {
      if (mark[i] === 0) continue;
      mark[i] = 0;
      const d = this.takeAdjoint(adjoint, i);
      const source = sources[core.a[i] as number];
      if (core.op[i] === PARAM) this.stage(source as Param, d);
      else if (core.op[i] === EARLIER) this.touchScalar(source as Segment, core.b[i] as number, d);
    }
    p.hiImport = -1;
    p.lo = CAPACITY;
  }

  private giveBack(p: PendingSegment<A>, dirty: boolean): void {
    if (p.complete) return;
    p.complete = true;
    p.mark.fill(0, dirty ? 0 : p.lowest, dirty ? CAPACITY : p.highest + 1);
    spareMarks.push(p.mark);
    this.giveBackAdjoint(p.adjoint, dirty);
  }

  node({ core, sources }: PendingSegment<A>, i: number, d: D): number {
    const node = sources[core.a[i] as number] as ArrayNode;
    this.touchNode(node, core.b[i] as number, d);
    return node.segmentId === core.id && node.pendingIn === this ? core.placeAfter(node.offset) : 0;
  }

  hook({ core, adjoint }: PendingSegment<A>, i: number, d: D): void {
    const entry = core.hooks?.get(i) as HookedNode;
    this.setAdjoint(adjoint, i, this.hooked(entry.hooks, d));
    core.op[i] = entry.code;
    this.unhooked.push({ core, place: i });
  }

  private runNode(node: ArrayNode): void {
    const cotangents = node.cotangents as (D | null)[];
    endPending(node);
    this.ran.push(node);
    node.hooks?.forEach((hooks, k) => {
      const d = cotangents[k];
      if (d !== null && d !== undefined) cotangents[k] = this.hooked(hooks, d);
    });
    const { origins, indices } = node;
    const cotangentOf = this.cotangentsOf(node, cotangents);
    for (let k = 0; k < origins.length; k++) {
      const origin = origins[k] as Origin | null;
      if (origin !== null) this.deliver(origin, indices[k] as number, cotangentOf(k));
    }
  }
}

function endPending(node: ArrayNode): void {
  node.cotangents = null;
  node.pendingIn = null;
  node.owned = false;
}

/** Whether an array node was recorded before the next scalar node to be swept. */
function isBefore(node: ArrayNode, { core, hi }: PendingSegment<unknown>): boolean {
  if (node.segmentId !== core.id) return node.segmentId < core.id;
  return core.placeAfter(node.offset) <= hi;
}

/** Inserts into a list that ascends by key. */
function insert<T>(sorted: T[], x: T, key: (x: T) => number): void {
  const at = key(x);
  sorted.splice(
    bisect(sorted, (y) => key(y) < at),
    0,
    x,
  );
}
