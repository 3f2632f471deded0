import { GraphError } from "../errors.js";
import { CONSTANTS_END } from "../wasm/constants.js";
import type { MemoryBlock } from "./location.js";
import type { Layout } from "./lower.js";
import { blocksOf, type Step } from "./step.js";

const ALIGNMENT = 64;
const LARGEST_MEMORY = 2 ** 32 - 65536;

/** A stretch of the program's steps. */
interface Stretch {
  start: number;
  end: number;
}

/** A use of a block: when, and in which loops. */
interface Use {
  readonly time: number;
  readonly loops: readonly Stretch[];
}

type Life = readonly [MemoryBlock, Stretch];

/** Gives every block its address, and how many bytes that takes. Blocks whose lives do not overlap share memory. */
export function planMemory(layout: Layout): number {
  const lives = [...livesOf(layout)];
  const placement = bestPlacement(lives);
  for (const [block] of lives) block.address = CONSTANTS_END + (placement.offsets.get(block) as number);
  const bytes = CONSTANTS_END + placement.bytes;
  if (bytes > LARGEST_MEMORY)
    throw new GraphError(
      `compile: the program needs ${Math.ceil(bytes / 2 ** 20)} MB, more than WebAssembly's 4,096; make batches or sequences smaller`,
    );
  return bytes;
}

/** A piece of memory, and the steps from and to which it is in use; null before the first and after the last one. */
export interface PlannedBlock {
  readonly address: number;
  readonly bytes: number;
  readonly from: number | null;
  readonly to: number | null;
}

/** The plan of a layout whose blocks have their addresses, in their order. Steps are numbered as they run, a loop after those in it. */
export function planOf(layout: Layout): PlannedBlock[] {
  const lives = [...livesOf(layout)];
  const last = Math.max(...lives.map(([, { end }]) => end));
  const planned = lives.map(([{ address, bytes }, { start, end }]) => ({
    address,
    bytes,
    from: start < 0 ? null : start,
    to: end === last ? null : end,
  }));
  return planned.sort((p, q) => p.address - q.address || (p.from ?? -1) - (q.from ?? -1));
}

/** The most bytes that values take at once, each counted once, packed or not; what kernels need beside them is no part of it. */
export function liveBytes(layout: Layout): number {
  return mostLive([...livesOf(layout, valuesIn(layout.steps))]);
}

interface Placement {
  readonly offsets: ReadonlyMap<MemoryBlock, number>;
  readonly bytes: number;
}

const duration = ({ start, end }: Stretch): number => end - start + 1;

/**
 * Which blocks come first: large ones, which then leave few holes (Y. Pisarchyk and J. Lee, Efficient memory management for deep neural net
 * inference, 2020), or those that live long, which then wall in none. Neither is always better; each is cheap, finding the best is NP-hard.
 */
const ORDERS: readonly ((p: Life, q: Life) => number)[] = [
  ([p], [q]) => q.bytes - p.bytes,
  ([p, pLife], [q, qLife]) => q.bytes * duration(qLife) - p.bytes * duration(pLife),
  ([p, pLife], [q, qLife]) => duration(qLife) - duration(pLife) || q.bytes - p.bytes,
];

/** Nearer to what blocks take at once no further order is tried. */
const NEAR = 1.01;

function bestPlacement(lives: readonly Life[]): Placement {
  const least = mostLive(lives, paddedSize);
  let best: Placement | null = null;
  for (const order of ORDERS) {
    const placement = placed([...lives].sort(order));
    if (best === null || placement.bytes < best.bytes) best = placement;
    if (best.bytes <= NEAR * least) break;
  }
  return best as Placement;
}

function paddedSize({ bytes }: MemoryBlock): number {
  return Math.ceil(Math.max(bytes, 1) / ALIGNMENT) * ALIGNMENT;
}

/** Each block in turn at the lowest place that is free while it lives. */
function placed(lives: readonly Life[]): Placement {
  /** By place. */
  const taken: { readonly life: Stretch; readonly from: number; readonly to: number }[] = [];
  const offsets = new Map<MemoryBlock, number>();
  let bytes = 0;
  for (const [block, life] of lives) {
    const size = paddedSize(block);
    let from = 0;
    for (const other of taken) {
      if (other.life.start > life.end || life.start > other.life.end) continue;
      if (from + size <= other.from) break;
      from = Math.max(from, other.to);
    }
    offsets.set(block, from);
    const next = taken.findIndex((other) => other.from > from);
    taken.splice(next < 0 ? taken.length : next, 0, { life, from, to: from + size });
    bytes = Math.max(bytes, from + size);
  }
  return { offsets, bytes };
}

function mostLive(lives: readonly Life[], size: (block: MemoryBlock) => number = ({ bytes }) => bytes): number {
  const changes = lives.flatMap(([block, { start, end }]) => [
    { time: start, order: 0, bytes: size(block) },
    { time: end, order: 1, bytes: -size(block) },
  ]);
  let [live, most] = [0, 0];
  for (const change of changes.sort((p, q) => p.time - q.time || p.order - q.order)) most = Math.max(most, (live += change.bytes));
  return most;
}

/** By block, the one whose value it holds, where it is not its own: a packed matrix is its source, scratch is nothing. */
function valuesIn(
  steps: readonly Step[],
  found = new Map<MemoryBlock, MemoryBlock | null>(),
): ReadonlyMap<MemoryBlock, MemoryBlock | null> {
  for (const step of steps) {
    if (step.kind === "loop") valuesIn(step.body, found);
    else if (step.kind === "pack") found.set(step.target, step.source.block);
    else if (step.kind === "product" && step.scratch !== null) found.set(step.scratch, null);
  }
  return found;
}

/**
 * When each block is used. Inputs are written before the first step, and outputs read after the last, as constants and what is kept are. A block that lives outside a loop and
 * is used inside lives as long as the loop. With `values`, of the blocks that hold them.
 */
function livesOf(
  { steps, inputs, outputs, constants, kept }: Layout,
  values?: ReadonlyMap<MemoryBlock, MemoryBlock | null>,
): Map<MemoryBlock, Stretch> {
  const uses = new Map<MemoryBlock, Use[]>();
  const note = (used: MemoryBlock, use: Use): void => {
    const value = values?.get(used);
    if (value === null) return;
    const block = value ?? used;
    const known = uses.get(block);
    if (known === undefined) uses.set(block, [use]);
    else known.push(use);
  };
  let time = 0;
  const walk = (list: readonly Step[], loops: readonly Stretch[]): void => {
    for (const step of list) {
      if (step.kind === "loop") {
        const stretch = { start: time, end: time };
        walk(step.body, [...loops, stretch]);
        stretch.end = time++;
        continue;
      }
      for (const block of blocksOf(step)) note(block, { time, loops });
      time++;
    }
  };
  const lasting = [...constants.values(), ...inputs.slice(0, kept)];
  for (const { block } of [...inputs, ...lasting]) note(block, { time: -1, loops: [] });
  walk(steps, []);
  for (const { block } of [...outputs, ...lasting]) note(block, { time, loops: [] });
  return new Map([...uses].map(([block, list]) => [block, lifeOf(list)]));
}

/** From uses in order of time. */
function lifeOf(uses: readonly Use[]): Stretch {
  const [first, last] = [uses[0], uses[uses.length - 1]] as [Use, Use];
  let common = first.loops.length;
  for (const { loops } of uses) while (common > 0 && loops[common - 1] !== first.loops[common - 1]) common--;
  return { start: first.loops[common]?.start ?? first.time, end: last.loops[common]?.end ?? last.time };
}
