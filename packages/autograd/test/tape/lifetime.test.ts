import { describe, expect, test } from "vitest";
import { customOp, GraphError, InputError, noGrad, type Param, param, ShapeError, type Value, value, zeroGrad } from "../../src/index.js";
import { openCoreOf } from "../../src/tape/segments.js";

/** A chain of products longer than a segment; its derivative by w is steps * w^(steps - 1). */
function power(w: Param, steps: number): Value {
  let y: Value = w;
  for (let k = 1; k < steps; k++) y = y.mul(w);
  return y;
}

describe("gradients add up", () => {
  test("gradients of a value used 5,000 times add up", () => {
    const w = param(2);
    const shared = w.square();
    let sum: Value = value(0);
    for (let k = 0; k < 5000; k++) sum = sum.add(shared.mul(k));
    sum.backward();
    expect(w.grad.item()).toBe(4 * ((4999 * 5000) / 2));
  });

  test("gradients of an array used 5,000 times add up", () => {
    const w = param([1, 2]);
    const shared = w.square();
    let sum: Value = value([0, 0]);
    for (let k = 0; k < 5000; k++) sum = sum.add(shared);
    sum.sum().backward();
    expect(w.grad.toArray()).toEqual([10000, 20000]);
  });

  test("gradients of several roots add up in .grad", () => {
    const w = param(3);
    w.square().backward();
    w.mul(5).backward();
    expect(w.grad.item()).toBe(11);
    zeroGrad(w);
    expect(w.hasGrad).toBe(false);
    expect(w.grad.item()).toBe(0);
  });

  test("a chain of a million steps works", () => {
    const w = param(1);
    power(w, 1_000_000).backward();
    expect(w.grad.item()).toBe(1_000_000);
  });

  test("scalars and arrays that use each other in turns", () => {
    // acc' = mean(q * (acc + 1)) * acc + p with q = [1, 3]: acc' = 2 (acc + 1) acc + p.
    const p = param(0.5);
    const q = param([1, 3]);
    let acc: Value = p;
    for (let k = 0; k < 3; k++) acc = q.mul(acc.add(1)).mean().mul(acc).add(p);
    acc.backward();
    let [x, dp, dq] = [0.5, 1, 0];
    for (let k = 0; k < 3; k++) [x, dp, dq] = [2 * (x + 1) * x + 0.5, (4 * x + 2) * dp + 1, (4 * x + 2) * dq + ((x + 1) * x) / 2];
    expect(acc.item()).toBeCloseTo(x, 12);
    expect(p.grad.item()).toBeCloseTo(dp, 10);
    expect(q.grad.toArray()).toEqual([expect.closeTo(dq, 10), expect.closeTo(dq, 10)]);
  });

  test("scalars and arrays that straddle many segments", () => {
    const w = param(1.00001);
    const a = param([1, 1]);
    let y: Value = w;
    for (let k = 0; k < 200_000; k++) {
      y = y.mul(w);
      if (k % 10_000 === 0) y = a.mul(y).mean();
    }
    y.backward();
    const expected = 200_001 * 1.00001 ** 200_000;
    expect(w.grad.item() / expected).toBeCloseTo(1, 9);
    expect((a.grad.data[0] as number) / ((20 / 2) * 1.00001 ** 200_001)).toBeCloseTo(1, 9);
  });
});

describe("lifetime", () => {
  test("two graphs recorded in turns do not mix", () => {
    const [w, v] = [param(2), param(3)];
    let [y, z]: Value[] = [w, v] as [Value, Value];
    for (let k = 0; k < 40_000; k++) {
      y = y.add(w);
      z = z.add(v);
    }
    y.backward();
    expect([w.grad.item(), v.hasGrad]).toEqual([40_001, false]);
    z.backward();
    expect([w.grad.item(), v.grad.item()]).toEqual([40_001, 40_001]);
  });

  test("a graph held across many others is whole when its turn comes", () => {
    const w = param(2);
    const held = w.square().mul(param([1, 2]).sum());
    for (let k = 0; k < 50; k++) power(param(1), 5000).backward();
    held.backward();
    expect(w.grad.item()).toBe(12);
  });

  test("a branch that no backward pass reached survives the release of the rest, and its own turn", () => {
    const w = param(2);
    const branches: Value[] = [];
    for (let step = 0; step < 20; step++) {
      const y = power(w, 5000).mul(1e-3);
      branches.push(
        y
          .detach()
          .mul(w)
          .mul(step + 1),
      );
      w.square().mul(3).sub(y.detach()).backward();
      power(w, 8000).backward();
    }
    zeroGrad(w);
    const factor = branches.map((branch) => branch.item() / 2);
    branches.forEach((branch, k) => {
      zeroGrad(w);
      branch.backward();
      expect(w.grad.item()).toBe(factor[k]);
    });
  });

  test("a value used again after its segment was compacted leads on as before", () => {
    const w = param(1);
    const metric = power(w, 10).mul(7);
    power(w, 60_000).backward();
    zeroGrad(w);
    metric.mul(2).backward();
    expect(w.grad.item()).toBe(140);
  });

  test("values stay readable after release, and usable as constants", () => {
    const w = param(3);
    const y = w.square();
    y.backward();
    expect(y.item()).toBe(9);
    const z = y.detach().mul(w);
    z.backward();
    expect(w.grad.item()).toBe(6 + 9);
  });

  test("an operation whose operands need no gradient is not recorded", () => {
    expect(value(2).mul(3).requiresGrad).toBe(false);
    expect(value([1, 2]).exp().requiresGrad).toBe(false);
    expect(
      noGrad(() =>
        param(2)
          .mul(param([1]))
          .sum(),
      ).requiresGrad,
    ).toBe(false);
  });

  test("set() on a leaf leaves a graph that used it alive as it was", () => {
    const [w, a] = [param(3), param([1, 2])];
    const y = w.square().mul(a.square().sum());
    w.set(100);
    a.set([50, 50]);
    y.backward();
    expect([w.grad.item(), a.grad.toArray()]).toEqual([30, [18, 36]]);
    expect([w.item(), a.toArray()]).toEqual([100, [50, 50]]);
    expect(() => a.set([1, 2, 3])).toThrow(ShapeError);
  });

  test("a .grad that somebody holds does not change under later passes", () => {
    const a = param([1, 2]);
    a.square().sum().backward();
    const held = a.grad;
    a.square().sum().backward();
    a.square().sum().backward();
    expect(held.toArray()).toEqual([2, 4]);
    expect(a.grad.toArray()).toEqual([6, 12]);
  });

  test("small graphs at the end of a full segment do not see what is before them", () => {
    const w = param(2);
    const other = param(1);
    let held: Value = other;
    for (let k = 0; k < 60_000; k++) held = held.mul(other);
    for (let k = 0; k < 1000; k++) {
      zeroGrad(w);
      w.square().add(w).backward();
      expect(w.grad.item()).toBe(5);
    }
    expect(other.hasGrad).toBe(false);
    held.backward();
    expect(other.grad.item()).toBe(60_001);
  });
});

describe("loops of independent forward passes hold no segment that nobody needs", () => {
  /** How many of the segments that a loop filled are alive after it. */
  async function segmentsAlive(nodes: number, iteration: () => void): Promise<number> {
    const seen: WeakRef<object>[] = [];
    let before = openCoreOf().id;
    for (const end = before + Math.ceil(nodes / 65536); before < end; ) {
      iteration();
      if (openCoreOf().id === before) continue;
      before = openCoreOf().id;
      seen.push(new WeakRef(openCoreOf()));
    }
    // A WeakRef holds its target until the end of the job in which it was made.
    await new Promise((resolve) => setTimeout(resolve, 0));
    (globalThis as { gc?: () => void }).gc?.();
    return seen.filter((ref) => ref.deref() !== undefined).length;
  }

  test("leaves that were used once", async () => {
    const leaves: Param[] = [];
    const alive = await segmentsAlive(20 * 65536, () => {
      leaves.push(param(1));
      let y = leaves.at(-1)!.add(1);
      for (let k = 0; k < 30_000; k++) y = y.mul(2);
    });
    expect(leaves.length).toBeGreaterThan(20);
    expect(alive).toBeLessThan(4);
  });

  test.each([
    ["a few values derived before the loop", 3],
    ["values derived in forty segments before the loop", 40],
  ])("%s", async (_name, count) => {
    const w = param(0.5);
    const derived: Value[] = [];
    for (let k = 0; k < count; k++) {
      derived.push(w.mul(k).add(derived[k - 1] ?? 0));
      if (count > 31) for (let fill = 0; fill < 33_000; fill++) w.add(1);
    }
    const alive = await segmentsAlive(1_500_000, () => {
      let y: Value = w;
      for (let k = 0; k < 700; k++) y = y.mul(derived[k % count] as Value).tanh();
    });
    expect(alive).toBeLessThan(5);
  });

  test("with arrays that use scalars, and scalars made from arrays", async () => {
    const w = param(0.5);
    const derived = w.mul(2);
    const alive = await segmentsAlive(1_000_000, () => {
      let y: Value = w;
      for (let k = 0; k < 20; k++) {
        y = value([1, 2]).mul(y.mul(derived)).mean();
        for (let j = 0; j < 100; j++) y = y.add(w).tanh();
      }
    });
    expect(alive).toBeLessThan(5);
  });
});

describe("a second backward pass", () => {
  for (const [kind, root] of [
    ["a scalar graph", (w: Param) => w.square().add(1)],
    ["an array graph", (w: Param) => w.mul([1, 2]).sum()],
  ] as const) {
    test(`through ${kind} throws and names retainGraph`, () => {
      const w = param(2);
      const y = root(w);
      y.backward();
      const before = w.grad.item();
      expect(() => y.backward()).toThrow(GraphError);
      expect(() => y.backward()).toThrow(/retainGraph: true/);
      expect(() => y.mul(3).backward()).toThrow(/retainGraph: true/);
      expect(w.grad.item()).toBe(before);
    });

    test(`through ${kind} adds where the first one retained it`, () => {
      const w = param(2);
      const y = root(w);
      y.backward({ retainGraph: true });
      const once = w.grad.item();
      y.backward();
      expect(w.grad.item()).toBe(2 * once);
    });
  }
});

describe("clear errors", () => {
  test("a root that needs no gradient", () => {
    expect(() => value(2).square().backward()).toThrow(GraphError);
    expect(() => noGrad(() => param(2).square()).backward()).toThrow(/needs no gradient/);
  });

  test("a non-scalar root without a seed; a seed of another shape; with a seed it works", () => {
    const w = param([1, 2]);
    expect(() => w.square().backward()).toThrow(/seed/);
    expect(() => w.square().backward({ seed: [1, 2, 3] })).toThrow(ShapeError);
    w.square().backward({ seed: [1, 10] });
    expect(w.grad.toArray()).toEqual([2, 40]);
  });

  test("an interior value without retainGrad has no grad", () => {
    expect(() => param(2).square().grad).toThrow(/retainGrad/);
  });
});

describe("all or nothing", () => {
  const failing = customOp({
    name: "failing",
    forward: (x) => x,
    vjp: () => {
      throw new InputError("the rule failed on purpose");
    },
  });
  const throwingHook = (x: Value): Value => {
    x.registerHook(() => {
      throw new InputError("the hook failed on purpose");
    });
    return x;
  };
  const releasedBranch = (x: Value): Value => {
    const y = x.mul(2);
    y.backward({ seed: y.shape.length === 0 ? 1 : [0, 0] });
    return y;
  };

  for (const [kind, make] of [
    ["scalars", (): Param => param(3)],
    ["arrays", (): Param => param([3, 4])],
  ] as const) {
    for (const [what, spoil] of [
      ["a custom rule", failing as (x: Value) => Value],
      ["a hook", throwingHook],
      ["a released branch", releasedBranch],
    ] as const) {
      test(`a throw from ${what} (${kind}) leaves every .grad and the graph as before`, () => {
        const [w, v] = [make(), make()];
        const good = v.square();
        const spoiled = spoil(w.mul(2));
        zeroGrad([w, v]);
        const root = spoiled.add(good).sum();
        const later = good.mul(10).sum();
        expect(() => root.backward()).toThrow(/on purpose|retainGraph/);
        expect([w.hasGrad, v.hasGrad]).toEqual([false, false]);
        // The same graph without its spoiled part still works, and nothing of the failed pass is left in it.
        later.backward();
        expect(v.grad.data).toEqual(v.mul(20).data);
        expect(w.hasGrad).toBe(false);
        const fresh = w.mul(v).sum();
        fresh.backward();
        expect(w.grad.data).toEqual(v.data);
      });
    }
  }

  test("a throw in the middle of a sweep over several segments leaves no dirty scratch", () => {
    const w = param(1);
    const y = throwingHook(power(w, 70_000));
    let z: Value = y;
    for (let k = 0; k < 100_000; k++) z = z.add(w);
    expect(() => z.backward()).toThrow(/on purpose/);
    expect(w.hasGrad).toBe(false);
    power(w, 150_000).backward();
    expect(w.grad.item()).toBe(150_000);
  });
});

describe("hooks", () => {
  for (const [kind, w] of [
    ["scalar", () => param(3)],
    ["array", () => param([3, 3])],
  ] as const) {
    test(`${kind}: a hook sees the whole gradient once, and may replace it`, () => {
      const leaf = w();
      const y = leaf.mul(2);
      const seen: number[] = [];
      const remove = y.registerHook((g) => {
        seen.push(g.data[0] as number);
        return g.mul(10);
      });
      y.mul(5).add(y).sum().backward({ retainGraph: true });
      expect(seen).toEqual([6]);
      expect(leaf.grad.data[0]).toBe(120);
      remove();
      zeroGrad(leaf);
      y.sum().backward();
      expect([seen.length, leaf.grad.data[0]]).toEqual([1, 2]);
    });

    test(`${kind}: retainGrad collects the gradient of an interior value`, () => {
      const leaf = w();
      const y = leaf.mul(2).retainGrad();
      expect(y.hasGrad).toBe(false);
      y.square().sum().backward({ retainGraph: true });
      y.square().sum().backward();
      expect(y.grad.data[0]).toBe(24);
      zeroGrad(y);
      expect(y.hasGrad).toBe(false);
    });

    test(`${kind}: a hook on a leaf sees the sum of its uses`, () => {
      const leaf = w();
      const seen: number[] = [];
      leaf.registerHook((g) => void seen.push(g.data[0] as number));
      leaf.mul(2).add(leaf).sum().backward();
      expect(seen).toEqual([3]);
    });
  }

  test("a hook may record more than a segment while its own is swept", () => {
    const w = param(3);
    const other = param(2);
    const y = w.mul(w).mul(5);
    y.registerHook(() => {
      power(other, 70_000);
    });
    y.mul(w).backward();
    expect(w.grad.item()).toBe(3 * 5 * 9);
    other.add(1).backward();
    expect(other.grad.item()).toBe(1);
  });

  test("a hook may run a backward pass of its own on another graph", () => {
    const [w, v] = [param(3), param(2)];
    const y = w.square();
    y.registerHook(() => v.pow(3).backward());
    y.add(1).backward();
    expect([w.grad.item(), v.grad.item()]).toEqual([6, 12]);
  });
});
