import { getHeapSpaceStatistics } from "node:v8";
import { describe, expect, test } from "vitest";
import { matmul, param, type Value, value, valueAndGrad, zeroGrad } from "../../src/index.js";
import { compile } from "../../src/program/index.js";
import { ProgramMemory } from "../../src/program/memory.js";
import { RecentlyUsed } from "../../src/program/recentlyUsed.js";
import { CONSTANTS_END } from "../../src/wasm/constants.js";
import { randomLike } from "../matrix/derivatives.js";
import { KINDS, type Params, stepOf, toyTraining, training, type Training } from "./networks.js";
import { watched } from "./webAssembly.js";

function statsOf(network: Training) {
  const run = compile(stepOf(network));
  run(...network.args);
  return run.stats();
}

describe("what a program plans, and what must live at once", () => {
  const AT_MOST = 1.3;

  test.each(KINDS.flatMap((kind) => [16, 64].map((steps) => [kind, steps] as const)))("a training step of %s, T = %i", (kind, steps) => {
    const { bytes, live, plain } = statsOf(training(kind, { hidden: 128, batch: 32, steps }));
    expect(plain).toEqual([]);
    expect(bytes / live).toBeLessThanOrEqual(AT_MOST);
  });

  test.each([16, 100, 1000, 10_000])("the toy network as a scan, T = %i", (steps) => {
    const { bytes, live } = statsOf(toyTraining(steps));
    // Under 16 KB of constants, which every program has, short sequences vanish; and a block begins at a multiple of 64 bytes.
    expect((bytes - CONSTANTS_END) / live).toBeLessThanOrEqual(steps < 100 ? 2 : AT_MOST);
    if (steps === 10_000) expect(bytes / live).toBeLessThanOrEqual(AT_MOST);
  });

  test("lives: what goes in, what comes out, and what is kept for later, but no packed matrix", () => {
    const n = 128;
    const [a, b] = randomLike(
      [0, 1].map(() => ({ shape: [n, n], size: n * n })),
      1,
    ) as [Value, Value]; // prettier-ignore
    const run = compile((x: Value, y: Value) => matmul(x, y));
    run(a, b);
    const matrix = 8 * n * n;
    expect(run.stats().live).toBe(3 * matrix);
    expect(run.stats().bytes).toBeGreaterThan(CONSTANTS_END + 3 * matrix);
    // Both operands until the second product, and what was computed.
    const twice = compile((x: Value, y: Value) => matmul(matmul(x, y), matmul(y, x)).sum());
    twice(a, b);
    expect(twice.stats().live).toBe(4 * matrix);
  });
});

describe("10,000 calls leave memory as it is", () => {
  const OF_OBJECTS = ["new_space", "old_space", "large_object_space", "new_large_object_space"];
  const [WARM_UP, ROUNDS, CALLS] = [4000, 6, 1000];
  const network = training("lstm", { hidden: 3, batch: 2, steps: 4 });
  const { loss, args } = network;
  const [params, xs, targets] = args;
  const step = stepOf(network);
  const learned = Object.fromEntries(Object.entries(params).map(([name, x]) => [name, param(x.data.slice(), { shape: x.shape })]));

  /** Compiled anew: a call of it. */
  const CASES: Readonly<Record<string, () => () => unknown>> = {
    "of a compiled derivative": () => {
      const run = compile(step);
      return () => run(...args);
    },
    "of the derivative of a compiled function": () => {
      const run = valueAndGrad(compile(loss) as typeof loss);
      return () => run(...args);
    },
    "recorded, each with its backward()": () => {
      const run = compile(loss);
      return () => {
        run(learned, xs, targets).backward();
        zeroGrad(learned);
      };
    },
    "with two signatures in turns": () => {
      const run = compile(step);
      return () => [run(...args), run(params, xs.slice([0, 2]), targets.slice([0, 2]))];
    },
    "with the state in the program": () => {
      const run = compile((p: Params, x: Value, y: Value): readonly [Params, Value] => {
        const [error, slope] = step(p, x, y);
        return [slope, error];
      }).bind(params);
      return () => run(xs, targets);
    },
  };

  /** Bytes of objects that are held, without the host's compiled code. Some go a job later than what held them, at the next collection. */
  const heap = async (): Promise<number> => {
    for (let k = 0; k < 3; k++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      (globalThis as { gc?: () => void }).gc?.();
    }
    const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => OF_OBJECTS.includes(name));
    expect(spaces.length).toBe(OF_OBJECTS.length);
    return spaces.reduce((sum, { space_used_size: used }) => sum + used, 0);
  };

  /** The slope of a line through `ys`, which single leaps do not move: the median of the slopes between any two (Sen, 1968). */
  const trend = (ys: readonly number[]): number => {
    const slopes = ys.flatMap((y, j) => ys.slice(0, j).map((x, i) => (y - x) / (j - i))).sort((a, b) => a - b);
    return slopes[slopes.length >> 1] as number;
  };

  test.each(Object.entries(CASES))("%s", async (_name, prepared) => {
    let call: () => unknown = () => undefined;
    // The host's own compiler takes some thousand calls to come to rest,
    const { memories } = watched(() => {
      call = prepared();
      for (let k = 0; k < WARM_UP; k++) call();
    });
    const sizes = () => memories.map(({ buffer }) => buffer.byteLength);
    const before = sizes();
    expect(before.length).toBeGreaterThan(0);
    // and takes or gives back something now and then: what calls keep grows all along.
    const held = [await heap()];
    for (let round = 0; round < ROUNDS; round++) {
      const later = watched(() => {
        for (let k = 0; k < CALLS; k++) call();
      });
      held.push(await heap());
      expect([later.modules.length, later.memories.length, later.instances]).toEqual([0, 0, 0]);
    }
    expect(sizes()).toEqual(before);
    // An object kept of each call would be more.
    expect(trend(held) / CALLS).toBeLessThan(16);
  });
});

const collected = async (): Promise<void> => {
  for (let k = 0; k < 5; k++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    (globalThis as { gc?: () => void }).gc?.();
  }
};

describe("what a call was given is held for explain() alone", () => {
  const f = (x: Value) => x.square().sum();

  /** How many of the arrays given to calls of these lengths are still held after all of them. */
  async function heldAfter(call: (x: Value) => unknown): Promise<number> {
    const given = [500, 600, 700].map((length) => {
      const x = value(new Float64Array(length).fill(2));
      call(x);
      return new WeakRef(x.data.buffer);
    });
    await collected();
    return given.filter((buffer) => buffer.deref() !== undefined).length;
  }

  test("by the latest signature", async () => {
    const run = compile(f);
    expect(await heldAfter((x) => run(x))).toBe(1);
    expect(run.explain()).toContain("ms in 1 calls");
  });

  test("of recorded calls, and of their gradients", async () => {
    const run = compile(f);
    const step = (x: Value) => run(param(x.data)).backward();
    expect(await heldAfter(step)).toBeLessThanOrEqual(1);
    expect(run.explain()).toContain("the gradient of f");
  });

  test("of a bound function", async () => {
    const bound = compile((s: Value, x: Value) => [s.add(x.sum()), x.mean()] as const).bind(value(0));
    expect(await heldAfter((x) => bound(x))).toBe(1);
    expect(bound.state()[0].item()).toBe(2 * (500 + 600 + 700));
  });
});

test("those entries are kept that were used last", () => {
  const kept = new RecentlyUsed<number>(2);
  kept.set("a", 1);
  kept.set("b", 2);
  expect(kept.get("a")).toBe(1);
  kept.set("c", 3);
  expect(["a", "b", "c"].map((key) => kept.get(key))).toEqual([1, undefined, 3]);
});

test("of instances of kernels, too: the shapes of a long run are many", () => {
  const memory = new ProgramMemory();
  const exports = (id: number) => memory.instance(`kernels ${id}`, () => ({ k: () => id }));
  const first = exports(0);
  for (let id = 1; id < 1000; id++) {
    exports(id);
    expect(exports(id)).toBe(exports(id));
  }
  expect(exports(0)).not.toBe(first);
});
