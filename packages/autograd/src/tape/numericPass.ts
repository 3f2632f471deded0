import { NdArray, type Payload } from "../ops/array.js";
import { cotangentOf } from "../ops/differentiate.js";
import { addInto, raw, runPartial } from "../ops/raw.js";
import { unbroadcast } from "../ops/shapes.js";
import { tracer } from "../ops/tracer.js";
import { type ArrayNode, type Kept, linearizationOf, typeOfKept } from "./arrayNode.js";
import { CAPACITY } from "./columns.js";
import { type HookedNode, hooksOfLeaf, runHooks } from "./hooks.js";
import { Pass, type PendingSegment, type Staged } from "./pass.js";
import { sweep } from "./scalar.generated.js";
import { compact, openCoreOf, RELEASED, recycle } from "./segments.js";
import { type Param, Value } from "./value.js";

// Scratch columns, all zero between passes; pooled, since a pass over a long tape needs them for one segment at a time.
const spareAdjoints: Float64Array[] = [];

/** A backward pass on numbers: the readers "numbers" and "raw arrays". */
export class NumericPass extends Pass<Payload, Float64Array> {
  /** Gradients of the leaves after their hooks, as functions that add them to `.grad`. */
  leafGradients(): (() => void)[] {
    for (const [leaf, { cotangent }] of this.staged) {
      const gradient = runHooks(hooksOfLeaf(leaf as Param), new Value(null, 0, cotangent), this.atCommit);
      this.commits.push(() => (leaf as Param).collect(gradient));
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

  protected newAdjoint(): Float64Array {
    return spareAdjoints.pop() ?? new Float64Array(CAPACITY);
  }

  protected giveBackAdjoint(adjoint: Float64Array, dirty: boolean): void {
    if (dirty) adjoint.fill(0);
    spareAdjoints.push(adjoint);
  }

  protected addAdjoint(adjoint: Float64Array, place: number, d: Payload): void {
    (adjoint[place] as number) += d as number;
  }

  protected takeAdjoint(adjoint: Float64Array, place: number): number {
    const d = adjoint[place] as number;
    adjoint[place] = 0;
    return d;
  }

  protected setAdjoint(adjoint: Float64Array, place: number, d: Payload): void {
    adjoint[place] = d as number;
  }

  /** The first sum makes an array of our own, to which later ones are added in place. */
  protected accumulate(slot: Staged<Payload>, d: Payload): void {
    const { cotangent } = slot;
    if (slot.owned && tracer === null && cotangent instanceof NdArray && d instanceof NdArray) addInto(cotangent, d);
    else {
      slot.cotangent = raw.add(cotangent, d);
      slot.owned = true;
    }
  }

  protected sweepSegment(p: PendingSegment<Float64Array>): void {
    sweep(p, this);
  }

  protected hooked(hooks: HookedNode["hooks"] | undefined, d: Payload): Payload {
    return runHooks(hooks, new Value(null, 0, d), this.atCommit).payload;
  }

  protected cotangentsOf(node: ArrayNode, cotangents: readonly (Payload | null)[]): (k: number) => Payload {
    const { op, operands, outputs } = node;
    if (op.kind === "elementwise") {
      const [d] = cotangents as [Payload];
      return (k) => unbroadcast(raw, runPartial(op, k, d, operands, outputs[0] as Kept), typeOfKept(operands[k] as Kept));
    }
    const same = (x: Payload): Payload => x;
    const at = linearizationOf(node, same, same);
    return (k) => cotangentOf(raw, op, k, cotangents, at);
  }
}

const COMPACT_FROM = 1024;

/** Marks what was visited as released; gives the columns back where nothing, or little, is left. */
function releaseVisited(p: PendingSegment<unknown>): void {
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
