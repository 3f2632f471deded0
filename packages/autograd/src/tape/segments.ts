import { GraphError } from "../errors.js";
import { tracer } from "../ops/tracer.js";
import type { ArrayNode } from "./arrayNode.js";
import { CAPACITY, Columns, open, openColumns } from "./columns.js";
import type { HookedNode } from "./hooks.js";
import { constantRow } from "./scalar.generated.js";
import { checkIsValue, Param, Value } from "./value.js";

/**
 * The tape of scalar operations: segments of typed-array columns, 65,536 nodes each. A Value of a scalar operation holds its segment and
 * an offset; a segment holds the sources it imports from, so ordinary garbage collection gives every graph its lifetime. Arithmetic nodes
 * grow up from offset 0; imports of leaves and of earlier segments grow down from the top, so that they never widen a sweep.
 */

// Codes of the nodes that are not arithmetic; the generated codes of operations follow.
export const CONST = 0;
export const PARAM = 1;
export const EARLIER = 2;
export const NODE = 3;
export const HOOKED = 4;
export const RELEASED = 5;

/** Where an import comes from: a leaf, (what is needed of) an earlier segment, or an array node. */
export type Source = Param | Segment | ArrayNode;

/** A derivative is wanted through a part of a graph that an earlier backward pass released. */
export function releasedError(): never {
  throw new GraphError(
    "an earlier backward pass released part of this graph; pass retainGraph: true there, or detach() the value to use it as a constant",
  );
}

/** What every Value of a segment holds. A view of it, with the sources that one node does not depend on left out, is what importers hold. */
export class Segment {
  readonly core: Core;
  readonly sources: (Source | null)[];
  /** Whether a view could leave nothing out: it imports leaves alone, or was made of what is needed. Asked once it is sealed. */
  exact: boolean | null = null;

  constructor(core: Core, sources: (Source | null)[]) {
    this.core = core;
    this.sources = sources;
  }
}

/** The label under which nodes from `offset` on were recorded. */
interface ScopeMark {
  readonly offset: number;
  readonly label: string | null;
}

let nextId = 0;

/** The nodes of a segment. */
export class Core {
  readonly id = nextId++;
  /** The n of a segment that is not being recorded. */
  size = 0;
  top: number;
  op!: Uint8Array;
  a!: Uint16Array;
  b!: Uint16Array;
  v!: Float64Array;
  columns: Columns | null = null;
  /** How many of the n nodes earlier backward passes released. */
  freed = 0;
  /** After `compact`: the offsets at which the remaining nodes were recorded, ascending. */
  offsets: Int32Array | null = null;
  /** Hooks by place, with the code that HOOKED stands for there. */
  hooks: Map<number, HookedNode> | null = null;
  scopes: ScopeMark[] = [];
  /** Array nodes that use scalars of this segment, until it is sealed. */
  arrayUsers: ArrayNode[] = [];
  importsArrays = false;

  constructor(columns: Columns, top: number) {
    this.top = top;
    this.take(columns);
  }

  /** Arithmetic nodes are [0, n), imports [top, capacity). */
  get n(): number {
    return this === openCore ? open.n : this.size;
  }

  set n(n: number) {
    if (this === openCore) open.n = n;
    else this.size = n;
  }

  take(columns: Columns): void {
    this.columns = columns;
    this.op = columns.op;
    this.a = columns.a;
    this.b = columns.b;
    this.v = columns.v;
  }

  get released(): boolean {
    return this.columns === null;
  }

  /** Drops the columns: every node is released. */
  release(): void {
    this.take(NO_COLUMNS);
    this.columns = null;
    this.n = 0;
    this.scopes = [];
    this.arrayUsers = [];
    this.hooks = null;
  }

  /** Where the node recorded at an offset now lies; -1 if it was released and its place given up. */
  locate(offset: number): number {
    const { offsets } = this;
    if (offsets === null) return this.released ? -1 : offset;
    const k = this.placeAfter(offset);
    return offsets[k] === offset ? k : -1;
  }

  /** The first place at or after a recorded offset: where the arithmetic recorded later begins. */
  placeAfter(offset: number): number {
    return this.offsets === null ? offset : bisect(this.offsets, (x) => x < offset);
  }

  /** The operation's code at a place, looking through hooks. */
  codeAt(place: number): number {
    const code = this.op[place] as number;
    return code === HOOKED ? (this.hooks?.get(place)?.code ?? code) : code;
  }

  /** The offset at which the node at a place was recorded. */
  offsetOf(place: number): number {
    return this.offsets === null ? place : (this.offsets[place] as number);
  }

  /** The label of the node recorded at an offset: of the last mark that is not after it. */
  scopeAt(offset: number): string | null {
    const { scopes } = this;
    return scopes[bisect(scopes, (mark) => mark.offset <= offset) - 1]?.label ?? null;
  }
}

/** How many entries of a sorted list lie before a point: those for which `before` holds come first. */
export function bisect<T>(sorted: ArrayLike<T>, before: (x: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(sorted[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const NO_COLUMNS = new Columns(0);
const spare: Columns[] = [];

let openCore = new Core(openColumns, CAPACITY);
open.segment = new Segment(openCore, []);
/**
 * A segment without nodes. It is what the root of a backward pass is left with: a held loss then keeps nothing of its graph alive.
 */
export const RELEASED_SEGMENT = new Segment(new Core(NO_COLUMNS, 0), []);
RELEASED_SEGMENT.core.release();

/** Values of earlier segments and array nodes already imported into the open segment. */
let imported = new Map<Value, number>();
let recording = true;
let scopeLabel: string | null = null;

export function isRecording(): boolean {
  return recording;
}

/** Turns recording on or off; gives the mode before. */
export function setRecording(on: boolean): boolean {
  const before = recording;
  recording = on;
  open.full = on && tracer === null ? openCore.top - 2 : -1;
  return before;
}

/** Called where the open segment lacks room: opens another and gives true, or false where nothing is recorded. */
export function room(): boolean {
  if (!recording || tracer !== null) return false;
  seal();
  return true;
}

let exactSeals = false;

/** Whether segments sealed from now on hold one graph only, all of it needed; gives the setting before. */
export function setExactSeals(on: boolean): boolean {
  const before = exactSeals;
  exactSeals = on;
  return before;
}

/** Ends the open segment and opens another. */
export function seal(): void {
  const sealed = openCore;
  const full = open.segment;
  if (exactSeals) full.exact = true;
  for (const source of full.sources) if (source instanceof Param) source.home = null;
  if (imported.size > 0) imported = new Map();
  sealed.size = open.n;
  if (sealed.columns === openColumns) sealed.take(copyOf(openColumns, sealed));
  openCore = new Core(openColumns, CAPACITY);
  open.segment = new Segment(openCore, []);
  open.n = 0;
  if (scopeLabel !== null) openCore.scopes.push({ offset: 0, label: scopeLabel });
  setRecording(recording);
  // From now on nothing is added to the sealed segment, and what its array users depend on can be told exactly.
  for (const user of sealed.arrayUsers) user.narrow(full);
  sealed.arrayUsers = [];
  // Who holds one loss of it should not hold columns that were sealed half empty, or are mostly released.
  if (sealed.n + CAPACITY - sealed.top < CAPACITY / 2 || sealed.freed >= sealed.n / 2) compact(sealed);
}

function copyOf(from: Columns, { n, top }: Core): Columns {
  const to = spare.pop() ?? new Columns(CAPACITY);
  for (const column of ["op", "a", "b", "v"] as const) {
    to[column].set(from[column].subarray(0, n));
    to[column].set(from[column].subarray(top), top);
  }
  return to;
}

/** Columns that nobody uses any more. */
function giveBack(columns: Columns): void {
  if (columns !== openColumns && spare.length < 64) spare.push(columns);
}

/** Gives a segment's columns back once no node of it is left; the open segment is replaced. */
export function recycle(released: Core): void {
  const { columns, offsets } = released;
  if (columns === null) return;
  released.release();
  if (offsets === null) giveBack(columns);
  if (released === openCore) seal();
}

/** The segment being recorded, whether or not recording is on at this moment. */
export function openCoreOf(): Core {
  return openCore;
}

/** Labels what is recorded from here on; gives the label before. */
export function setScope(label: string | null): string | null {
  const before = scopeLabel;
  scopeLabel = label;
  const { scopes } = openCore;
  const { n } = open;
  // Labels under which nothing was recorded leave no mark: a validation loop would collect them for ever.
  if (scopes[scopes.length - 1]?.offset === n) scopes.pop();
  if (recording && (scopes[scopes.length - 1]?.label ?? null) !== label) scopes.push({ offset: n, label });
  return before;
}

export function currentScope(): string | null {
  return scopeLabel;
}

/** The row at which a scalar Value from outside the open segment is known in it. A leaf is imported once a segment, and again after it was set. */
export function importOf(x: Value): number {
  const hit = imported.get(x);
  if (hit !== undefined) return hit;
  const { origin, index } = x;
  if (origin === null) return constantRow(x.payload as number);
  checkIsValue(x);
  if (origin instanceof Param) {
    const i = importFrom(--openCore.top, PARAM, x, origin);
    if (x !== origin) return i;
    origin.home = open.segment;
    origin.row = i;
    return i;
  }
  const isEarlier = origin instanceof Segment;
  // Array nodes stand among the arithmetic: the sweep must come by here to hand the adjoint over before it goes on.
  const i = isEarlier ? importFrom(--openCore.top, EARLIER, x, viewOf(origin, index)) : importFrom(open.n++, NODE, x, origin);
  openCore.importsArrays ||= !isEarlier;
  imported.set(x, i);
  return i;
}

function importFrom(i: number, code: number, x: Value, source: Source): number {
  open.full = openCore.top - 2;
  openColumns.op[i] = code;
  openColumns.v[i] = x.payload as number;
  openColumns.a[i] = open.segment.sources.push(source) - 1;
  openColumns.b[i] = x.index;
  return i;
}

/** The node at a place of a segment as a Value. */
export function valueAt(from: Segment, place: number): Value {
  const { core, sources } = from;
  const x = core.v[place] as number;
  const source = sources[core.a[place] as number] ?? null;
  switch (core.op[place]) {
    case CONST:
      return new Value(null, 0, x);
    case PARAM:
      return (source as Param).payload === x ? (source as Param) : new Value(source, 0, x);
    case EARLIER:
    case NODE:
      return new Value(source, core.b[place] as number, x);
    default:
      return new Value(from, core.offsetOf(place), x);
  }
}

/** What was found out about a sealed segment: which of its targets each place depends on, and the views handed out. */
interface Reach {
  readonly columns: Columns | null;
  /** Segments and array nodes that it imports from. */
  readonly targets: readonly Source[];
  /** By place, a bit for each of 8 targets; as many columns as it takes, since rounding up would chain segments together. */
  readonly masks: readonly Uint8Array[];
  readonly views: Map<string, Segment>;
}

const reaches = new WeakMap<Segment, Reach>();
const MASK_BITS = 8;

/** By place, the bits of the sources that it depends on. */
function maskOf({ op, a, b, n, top }: Core, bits: Uint8Array): Uint8Array {
  const mask = new Uint8Array(op.length);
  for (let i = top; i < op.length; i++) if (op[i] === EARLIER) mask[i] = bits[a[i] as number] as number;
  for (let i = 0; i < n; i++) {
    const code = op[i] as number;
    if (code > RELEASED || code === HOOKED) mask[i] = (mask[a[i] as number] as number) | (mask[b[i] as number] as number);
    else if (code === NODE) mask[i] = bits[a[i] as number] as number;
  }
  return mask;
}

/** One pass over a sealed segment, since several values of it are imported one after the other (at T = 1,000,000 forward 30 ns a node instead of 40). */
function reachOf(whole: Segment): Reach {
  const { core: c, sources } = whole;
  const known = reaches.get(whole);
  if (known !== undefined && known.columns === c.columns) return known;
  const targets = [...new Set(sources)].filter((s): s is Source => s !== null && !(s instanceof Param));
  const indices = new Map(targets.map((target, k) => [target, k]));
  const masks: Uint8Array[] = [];
  for (let first = 0; first < targets.length; first += MASK_BITS) {
    const bits = sources.map((source) => {
      const k = (indices.get(source as Source) ?? -1) - first;
      return k >= 0 && k < MASK_BITS ? 1 << k : 0;
    });
    masks.push(maskOf(c, Uint8Array.from(bits)));
  }
  const reach = { columns: c.columns, targets, masks, views: new Map<string, Segment>() };
  reaches.set(whole, reach);
  return reach;
}

/**
 * A segment with only those sources that the node at `offset` depends on. Without it, graphs that straddle a boundary would chain all
 * segments of a forward-only loop together; rounding the set up has the same end, so it is exact.
 */
export function viewOf(whole: Segment, offset: number): Segment {
  const { core: c, sources } = whole;
  if (c === openCore || c.released) return whole;
  whole.exact ??= sources.every((s) => s === null || s instanceof Param);
  if (whole.exact) return whole;
  const { targets, masks, views } = reachOf(whole);
  const bits = masks.map((mask) => mask[c.locate(offset)] ?? 0);
  const key = bits.join();
  let view = views.get(key);
  if (view === undefined) {
    const needed = new Set<Source | null>(targets.filter((_, k) => ((bits[Math.floor(k / MASK_BITS)] as number) >> (k % MASK_BITS)) & 1));
    view = new Segment(
      c,
      sources.map((s) => (s instanceof Param || needed.has(s) ? s : null)),
    );
    views.set(key, view);
  }
  return view;
}

let passes = 0;

/** Runs a backward pass, during which places are fixed: segments are compacted between passes only. */
export function duringPass(run: () => void): void {
  passes++;
  try {
    run();
  } finally {
    passes--;
  }
}

/**
 * Gives up the places of released nodes: what is left (branches that no backward pass reached) moves to columns of its own size, and the
 * segment's columns are recycled. Without it one unreached metric a step would stop recycling: 48 to 90 ns a node instead of 23 to 47.
 */
export function compact(c: Core): void {
  if (passes > 0 || c.columns === null || c.offsets !== null || c.hooks !== null) return;
  const { op, a, b, v, n, top, columns } = c;
  const capacity = op.length;
  // Places anew, by old place; 1 before they are given.
  const place = new Uint16Array(capacity);
  const kept: number[] = [];
  for (let i = 0; i < n; i++) {
    const code = op[i] as number;
    if (code === RELEASED) continue;
    kept.push(i);
    if (code > RELEASED) place[a[i] as number] = place[b[i] as number] = 1;
  }
  const imports: number[] = [];
  for (let i = top; i < capacity; i++) if (place[i] === 1) imports.push(i);
  const moved = [...kept, ...imports];
  const small = new Columns(moved.length + 1);
  // Place 0 is a released node: what operands that were released come to point at.
  place.fill(0);
  small.op[0] = RELEASED;
  moved.forEach((i, k) => (place[i] = k + 1));
  for (const i of moved) {
    const k = place[i] as number;
    const code = op[i] as number;
    const arithmetic = code > RELEASED;
    small.op[k] = code;
    small.v[k] = v[i] as number;
    small.a[k] = arithmetic ? (place[a[i] as number] as number) : (a[i] as number);
    small.b[k] = arithmetic ? (place[b[i] as number] as number) : (b[i] as number);
  }
  c.take(small);
  c.n = c.top = kept.length + 1;
  c.freed = 1;
  c.offsets = Int32Array.from([-1, ...kept]);
  giveBack(columns);
  if (c === openCore) seal();
}
