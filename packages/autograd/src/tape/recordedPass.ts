import { FLOAT64_SCALAR } from "../ops/array.js";
import { cotangentOf, scaled } from "../ops/differentiate.js";
import type { ElementwiseOp, Linearization } from "../ops/op.js";
import { recordedAlgebra } from "./apply.js";
import { type ArrayNode, linearizationOf } from "./arrayNode.js";
import { CAPACITY, open } from "./columns.js";
import { type HookedNode, hooksOfLeaf, runHooks } from "./hooks.js";
import { type Floor, Pass, type PendingSegment, type Staged } from "./pass.js";
import { FIRST_CODE, scalarOps } from "./scalar.generated.js";
import { CONST, HOOKED, NODE, openCoreOf, RELEASED, releasedError, Segment, seal, setExactSeals, valueAt, viewOf } from "./segments.js";
import { type Param, Value } from "./value.js";

type Adjoints = (Value | undefined)[];

// A graph of this size is worth a seal before its derivative is recorded: what the derivative imports is then exact from the start.
const SEAL_FROM = 4096;

/**
 * A backward pass that is itself recorded: the reader "tape". Its rules emit Values into the open segment, which the functions of the
 * scalar tape turn into nodes without an array in between.
 */
export class RecordedPass extends Pass<Value, Adjoints> {
  private readonly values = new Map<PendingSegment<Adjoints>, OperandValues>();
  private readonly openAtStart = openCoreOf();

  /** The cotangent of every leaf and target, after the hooks of leaves. */
  static cotangents(
    roots: readonly Value[],
    seeds: readonly Value[],
    floor: Floor | null,
    targets: readonly Value[],
    atCommit: (f: () => void) => void,
  ): Map<Value, Value> {
    const large = openCoreOf().n > SEAL_FROM;
    if (large) seal();
    const before = setExactSeals(large);
    const pass = new RecordedPass(floor, targets);
    try {
      pass.run(roots.map(narrowed), seeds);
      const found = new Map<Value, Value>();
      for (const [leaf, { cotangent }] of pass.staged) {
        found.set(leaf, floor === null ? runHooks(hooksOfLeaf(leaf as Param), cotangent, pass.atCommit) : cotangent);
      }
      for (const commit of pass.commits) atCommit(commit);
      return found;
    } finally {
      setExactSeals(before);
      pass.cleanUp();
      pass.clearValues();
    }
  }

  protected newAdjoint(): Adjoints {
    return newColumn();
  }

  protected giveBackAdjoint(adjoint: Adjoints, dirty: boolean): void {
    if (!dirty) spareColumns.push(adjoint);
  }

  protected addAdjoint(adjoint: Adjoints, place: number, d: Value): void {
    const before = adjoint[place];
    adjoint[place] = before === undefined ? d : before.add(d);
  }

  protected takeAdjoint(adjoint: Adjoints, place: number): Value {
    const d = adjoint[place] as Value;
    adjoint[place] = undefined;
    return d;
  }

  protected setAdjoint(adjoint: Adjoints, place: number, d: Value): void {
    adjoint[place] = d;
  }

  protected accumulate(slot: Staged<Value>, d: Value): void {
    slot.cotangent = slot.cotangent.add(d);
  }

  protected sweepSegment(p: PendingSegment<Adjoints>): void {
    const { core, adjoint, mark } = p;
    const places = [0, 0];
    let i = p.hi;
    const at: Linearization<Value, unknown> = {
      attributes: null,
      types: [FLOAT64_SCALAR, FLOAT64_SCALAR],
      outTypes: [FLOAT64_SCALAR],
      operand: (k) => this.valueAt(p, places[k] as number),
      output: () => this.valueAt(p, i),
    };
    for (; i >= p.lo && i >= p.limit; i--) {
      if (mark[i] === 0) continue;
      // Read anew each time: what is recorded here may seal the segment, which then has other columns.
      const code = core.op[i] as number;
      const d = this.takeAdjoint(adjoint, i);
      if (code === NODE) p.limit = Math.max(p.limit, this.node(p, i, d));
      else if (code === HOOKED) this.hook(p, i++, d);
      else if (code === RELEASED) releasedError();
      else if (code >= FIRST_CODE) {
        const rule = scalarOps[code - FIRST_CODE] as ElementwiseOp;
        places[0] = core.a[i] as number;
        places[1] = core.b[i] as number;
        for (let k = 0; k < rule.arity; k++) this.give(p, places[k] as number, rule, k, d, at);
      }
    }
    p.hi = i;
  }

  private give(
    p: PendingSegment<Adjoints>,
    place: number,
    rule: ElementwiseOp,
    k: number,
    d: Value,
    at: Linearization<Value, unknown>,
  ): void {
    if (p.core.op[place] === CONST) return;
    p.mark[place] = 1;
    if (place < p.lo) p.lo = place;
    else if (place > p.hiImport) p.hiImport = place;
    this.addAdjoint(p.adjoint, place, scaled(recordedAlgebra, rule, k, d, at));
  }

  protected hooked(hooks: HookedNode["hooks"] | undefined, d: Value): Value {
    return runHooks(hooks, d, this.atCommit);
  }

  protected cotangentsOf(node: ArrayNode, cotangents: readonly (Value | null)[]): (k: number) => Value {
    const { op, origins, indices } = node;
    const at = linearizationOf(
      node,
      (x, k) => new Value(origins[k] ?? null, indices[k] as number, x),
      (x, k) => new Value(node, k, x),
    );
    return (k) => cotangentOf(recordedAlgebra, op, k, cotangents, at);
  }

  /** The value of the node at a place of a segment, as an operand; one Value a place, so that it is imported once. */
  valueAt(p: PendingSegment<Adjoints>, place: number): Value {
    let known = this.values.get(p);
    if (known === undefined) this.values.set(p, (known = { segment: this.segmentOf(p), sources: p.sources, at: newColumn(), places: [] }));
    else if (known.sources !== p.sources) {
      known.segment = this.segmentOf(p);
      known.sources = p.sources;
    }
    let x = known.at[place];
    if (x === undefined) {
      x = known.at[place] = valueAt(known.segment, place);
      known.places.push(place);
    }
    return x;
  }

  /** The open segment itself, so that operands need no import; of one sealed before the pass what the pass reached, which is exact. */
  private segmentOf({ core, sources }: PendingSegment<Adjoints>): Segment {
    if (core === openCoreOf()) return open.segment;
    const own = new Segment(core, [...sources]);
    if (core !== this.openAtStart) own.exact = true;
    return own;
  }

  private clearValues(): void {
    for (const { at, places } of this.values.values()) {
      for (const place of places) at[place] = undefined;
      spareColumns.push(at);
    }
  }
}

/** Operands already made into Values, by place. */
interface OperandValues {
  segment: Segment;
  sources: PendingSegment<Adjoints>["sources"];
  readonly at: Adjoints;
  /** The places in use, to be cleared after the pass. */
  readonly places: number[];
}

const spareColumns: Adjoints[] = [];

function newColumn(): Adjoints {
  return spareColumns.pop() ?? new Array<Value | undefined>(CAPACITY).fill(undefined);
}

/** A root that holds of its segment only what it depends on. */
function narrowed(root: Value): Value {
  return root.origin instanceof Segment ? new Value(viewOf(root.origin, root.index), root.index, root.payload) : root;
}
