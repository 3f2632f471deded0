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

export interface Plan {
  /** Size of the memory that the program needs. */
  readonly bytes: number;
  /** The most that must live at once: no plan needs less. */
  readonly live: number;
}

/**
 * Gives every block its address. Blocks whose lives do not overlap share memory: the largest first, each at the lowest place that is free
 * while it lives. A block that lives outside a loop and is used inside lives as long as the loop.
 */
export function planMemory({ steps, inputs, outputs, constants }: Layout): Plan {
  const end = Number.MAX_SAFE_INTEGER;
  const lives = livesOf(steps, [
    ...inputs.map(({ block }) => ({ block, time: -1 })),
    ...outputs.map(({ block }) => ({ block, time: end })),
    ...[...constants.values()].flatMap(({ block }) => [
      { block, time: -1 },
      { block, time: end },
    ]),
  ]);
  const size = (bytes: number): number => Math.ceil(Math.max(bytes, 1) / ALIGNMENT) * ALIGNMENT;
  const placed: { readonly life: Stretch; readonly from: number; readonly to: number }[] = [];
  let bytes = CONSTANTS_END;
  for (const [block, life] of [...lives].sort(([p], [q]) => q.bytes - p.bytes)) {
    let from = CONSTANTS_END;
    const others = placed.filter((other) => other.life.start <= life.end && life.start <= other.life.end).sort((p, q) => p.from - q.from);
    for (const other of others) {
      if (from + size(block.bytes) <= other.from) break;
      from = Math.max(from, other.to);
    }
    block.address = from;
    const to = from + size(block.bytes);
    placed.push({ life, from, to });
    bytes = Math.max(bytes, to);
  }
  if (bytes > LARGEST_MEMORY)
    throw new GraphError(
      `compile: the program needs ${Math.ceil(bytes / 2 ** 20)} MB, more than WebAssembly's 4,096; make batches or sequences smaller`,
    );
  return { bytes, live: mostLive([...lives]) };
}

function mostLive(lives: readonly (readonly [MemoryBlock, Stretch])[]): number {
  const changes = lives.flatMap(([{ bytes }, { start, end }]) => [
    { time: start, order: 0, bytes },
    { time: end, order: 1, bytes: -bytes },
  ]);
  let [live, most] = [0, 0];
  for (const change of changes.sort((p, q) => p.time - q.time || p.order - q.order)) most = Math.max(most, (live += change.bytes));
  return most;
}

/** `others` are uses before the first step and after the last: like all that happens outside of loops, they make a block outlive them. */
function livesOf(
  steps: readonly Step[],
  others: readonly { readonly block: MemoryBlock; readonly time: number }[],
): Map<MemoryBlock, Stretch> {
  const uses = new Map<MemoryBlock, Use[]>();
  const note = (block: MemoryBlock, use: Use): void => {
    const known = uses.get(block);
    if (known === undefined) uses.set(block, [use]);
    else known.push(use);
  };
  for (const { block, time } of others) note(block, { time, loops: [] });
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
  walk(steps, []);
  return new Map([...uses].map(([block, list]) => [block, lifeOf(list)]));
}

function lifeOf(uses: readonly Use[]): Stretch {
  const [first] = uses as [Use];
  let common = first.loops.length;
  for (const { loops } of uses) while (common > 0 && loops[common - 1] !== first.loops[common - 1]) common--;
  const life = { start: Infinity, end: -Infinity };
  for (const { time, loops } of uses) {
    const loop = loops[common];
    life.start = Math.min(life.start, loop?.start ?? time);
    life.end = Math.max(life.end, loop?.end ?? time);
  }
  return life;
}
