import { describe, expect, test } from "vitest";
import {
  GraphError,
  grad,
  hvp,
  InputError,
  jvp,
  noGrad,
  param,
  ShapeError,
  scan,
  stack,
  type Value,
  value,
  valueAndGrad,
  vjp,
} from "../../src/index.js";

/** The derivative of a scalar function of a scalar, by either mode. */
const reverse =
  (f: (x: Value) => Value) =>
  (x: Value): Value =>
    grad(f)(x);
const forward =
  (f: (x: Value) => Value) =>
  (x: Value): Value =>
    jvp(f, [x], [1])[1];
const MODES = { reverse, forward };
const PAIRS = Object.entries(MODES).flatMap(([a, outer]) =>
  Object.entries(MODES).map(([b, inner]) => [`${a} over ${b}`, outer, inner] as const),
);

describe.each(PAIRS)("%s", (_name, outer, inner) => {
  test("d/dx [x · d/dy (x + y)] = 1, without confusing the two", () => {
    expect(outer((x) => x.mul(inner((y) => x.add(y))(value(3))))(value(2)).item()).toBe(1);
    expect(outer((x) => x.mul(inner((y) => x.add(y))(x)))(value(2)).item()).toBe(1);
  });

  test("an inner function that captures the outer variable", () => {
    // d/dx [ d/dy (x² y³) at y = x ] = d/dx 3 x⁴ = 12 x³.
    expect(outer((x) => inner((y) => x.square().mul(y.pow(3)))(x))(value(2)).item()).toBeCloseTo(96, 10);
    // ... at a constant y = 5: d/dx 3 · 25 x² = 150 x.
    expect(outer((x) => inner((y) => x.square().mul(y.pow(3)))(value(5)))(value(2)).item()).toBeCloseTo(300, 10);
  });

  test("the second derivative of tanh", () => {
    const t = Math.tanh(0.7);
    expect(outer(inner((x) => x.tanh()))(value(0.7)).item()).toBeCloseTo(-2 * t * (1 - t * t), 12);
  });

  test("the second derivative through arrays", () => {
    // f(x) = Σ (a x)³ with a = [1, 2]: f'' = 6 Σ a³ x = 54 x.
    const f = (x: Value): Value => value([1, 2]).mul(x).pow(3).sum();
    expect(outer(inner(f))(value(2)).item()).toBeCloseTo(108, 9);
  });
});

test("grad of grad of grad", () => {
  const third = grad(grad(grad((x: Value) => x.pow(5))));
  expect(third(2).item()).toBeCloseTo(240, 9);
});

describe("grad", () => {
  test("over trees and several arguments", () => {
    const f = ({ w, b }: { w: Value; b: Value[] }, x: Value): Value =>
      w
        .mul(x)
        .sum()
        .add((b[0] as Value).mul(b[1] as Value));
    const [dp, dx] = grad(f, { argnums: [0, 1] })({ w: [1, 2], b: [value(3), value(4)] }, [5, 6]);
    expect(dp.w.toArray()).toEqual([5, 6]);
    expect(dp.b.map((x) => x.item())).toEqual([4, 3]);
    expect(dx.toArray()).toEqual([1, 2]);
  });

  test("over trees with optional leaves", () => {
    const f = ({ w, b }: { w: Value; b?: Value | undefined }): Value => (b === undefined ? w.square() : w.mul(b));
    expect(grad(f)({ w: 3, b: undefined }).w.item()).toBe(6);
    expect(grad(f)({ w: 3 }).b).toBe(undefined);
    expect(grad(f)({ w: 3, b: 4 }).b?.item()).toBe(3);
  });

  test("never touches .grad, and gives constants", () => {
    const w = param(3);
    const [y, dw] = valueAndGrad((x: Value) => x.square())(3);
    expect([y.item(), dw.item(), y.requiresGrad, dw.requiresGrad, w.hasGrad]).toEqual([9, 6, false, false, false]);
  });

  test("is recorded where a param has a part in it: a gradient penalty trains", () => {
    const w = param(2);
    // d/dx (w x²) = 2 w x at x = 3; its square is 36 w², whose derivative is 72 w.
    const slope = grad((x: Value) => w.mul(x.square()))(3);
    expect(slope.item()).toBe(12);
    slope.square().backward();
    expect(w.grad.item()).toBe(144);
  });

  test("of a captured array param, through a product", () => {
    const w = param([[1, 2]]);
    const slope = grad((x: Value) => w.matmul(x).square().sum())([3, 4]);
    slope.sum().backward();
    // g = 2 (w·x) w: Σg = 2 (w·x) Σw; its derivative by w_k is 2 x_k Σw + 2 (w·x).
    expect(w.grad.toArray()).toEqual([[2 * 3 * 3 + 22, 2 * 4 * 3 + 22]]);
  });

  test("of a param as the argument leads on to the param", () => {
    const w = param(2);
    grad((x: Value) => x.pow(3))(w).backward();
    expect(w.grad.item()).toBe(12);
  });

  test("under noGrad gives the numbers, unrecorded", () => {
    const w = param(2);
    const slope = noGrad(() => grad((x: Value) => x.mul(w).square())(w));
    expect([slope.item(), slope.requiresGrad]).toEqual([16, false]);
  });

  test("of a constant function is zero", () => {
    expect(grad((_x: Value) => value(3))([1, 2]).toArray()).toEqual([0, 0]);
  });

  test("refuses to name an argument twice, or what is no function", () => {
    expect(() => grad((x: Value, y: Value) => x.mul(y), { argnums: [0, 0] })(1, value(2))).toThrow(InputError);
    expect(() => grad(3 as never)(1 as never)).toThrow(InputError);
  });

  test("refuses a function that returns no scalar", () => {
    expect(() => grad((x: Value) => x.square())([1, 2])).toThrow(GraphError);
    expect(() => grad((() => undefined) as never)(1 as never)).toThrow(/return/);
  });
});

describe("async functions", () => {
  const later = async (x: Value): Promise<Value> => x;
  test.each([
    ["grad", () => grad(later as never)(1 as never)],
    ["valueAndGrad", () => valueAndGrad(later as never)(1 as never)],
    ["vjp", () => vjp(later as never, 1 as never)],
    ["jvp", () => jvp(later as never, [1] as never, [1] as never)],
    ["noGrad", () => noGrad(() => later(value(1)))],
  ])("%s throws, saying so, and restores its mode", (_name, call) => {
    expect(call).toThrow(InputError);
    expect(call).toThrow(/async/);
    expect(param(1).mul(2).requiresGrad).toBe(true);
  });
});

describe("vjp and jvp", () => {
  test("a pullback may be called several times", () => {
    const [y, pullback] = vjp((x: Value, w: Value) => x.mul(w), [1, 2], 3);
    expect(y.toArray()).toEqual([3, 6]);
    expect(pullback([1, 0])[1].item()).toBe(1);
    expect(pullback([0, 1])[0].toArray()).toEqual([0, 3]);
  });

  test("the value leads on to what the function captured", () => {
    const w = param(5);
    vjp((x: Value) => x.mul(w), 2)[0].backward();
    expect(w.grad.item()).toBe(2);
    expect(vjp((x: Value) => x.mul(3), 2)[0].requiresGrad).toBe(false);
  });

  test("of functions with trees as results", () => {
    const f = (x: Value): { s: Value; q: Value } => ({ s: x.sin(), q: x.square() });
    const [, pullback] = vjp(f, 2);
    expect(pullback({ s: 0, q: 1 })[0].item()).toBe(4);
    const [, tangent] = jvp(f, [2], [1]);
    expect([tangent.s.item(), tangent.q.item()]).toEqual([Math.cos(2), 4]);
  });

  test("tangents that do not fit are refused", () => {
    expect(() => jvp((x: Value) => x, [[1, 2]], [[1, 2, 3]])).toThrow(ShapeError);
    expect(() => jvp((x: Value) => x, [1], [] as never)).toThrow(InputError);
  });

  test("a pullback with a recorded cotangent is differentiable in it", () => {
    const w = param(5);
    const [, pullback] = vjp((x: Value) => x.square(), 3);
    pullback(w)[0].backward();
    expect(w.grad.item()).toBe(6);
  });

  test("hvp of a quadratic form is the symmetric part", () => {
    const a = value([
      [1, 2],
      [3, 4],
    ]);
    const [h] = hvp((x: Value) => x.matmul(a.matmul(x)), [[1, 1]], [[1, 10]]);
    expect(h.toArray()).toEqual([2 + 50, 5 + 80]);
  });
});

describe("createGraph", () => {
  test("of a chain over several segments, and then through it again", () => {
    const w = param(1);
    let y: Value = w;
    for (let k = 1; k < 100_000; k++) y = y.mul(w);
    y.backward({ createGraph: true });
    expect(w.grad.item()).toBe(100_000);
    const g = w.grad;
    w.clearGrad();
    g.backward();
    expect(w.grad.item()).toBe(100_000 * 99_999);
  });

  test("step after step leaves no segment behind that nobody needs", async () => {
    const w = param(1.5);
    const seen: WeakRef<object>[] = [];
    for (let step = 0; step < 400; step++) {
      let y: Value = w;
      for (let k = 0; k < 300; k++) y = y.mul(0.5).add(w).tanh();
      y.backward({ createGraph: true });
      w.grad.square().backward();
      seen.push(new WeakRef((y.origin as { core: object }).core));
      w.clearGrad();
    }
    // A WeakRef holds its target until the end of the job in which it was made.
    await new Promise((resolve) => setTimeout(resolve, 0));
    (globalThis as { gc?: () => void }).gc?.();
    const alive = new Set(seen.map((ref) => ref.deref()).filter((core) => core !== undefined));
    expect(alive.size).toBeLessThan(6);
  });

  test("gradients of a backward pass can be differentiated again", () => {
    const w = param(2);
    w.pow(3).backward({ createGraph: true });
    const g = w.grad;
    expect(g.requiresGrad).toBe(true);
    w.clearGrad();
    g.backward();
    expect(w.grad.item()).toBeCloseTo(12, 12);
  });

  test("of an array graph, twice", () => {
    const w = param([1, 2]);
    w.pow(4).sum().backward({ createGraph: true });
    const g = w.grad;
    w.clearGrad();
    g.sum().backward({ createGraph: true });
    const h = w.grad;
    w.clearGrad();
    h.sum().backward();
    expect(w.grad.toArray()).toEqual([24, 48]);
  });
});

describe("scan", () => {
  test("equals the loop it stands for, values and gradients", () => {
    const xs = [0.5, -1, 2, 0.3];
    const loop = (w: Value): Value => {
      let h: Value = value(0.1);
      const all: Value[] = [];
      for (const x of xs) all.push((h = h.mul(w).add(x).tanh()));
      return stack(all).square().sum();
    };
    const scanned = (w: Value): Value => {
      const [, hs] = scan(
        (h: Value, x: Value): [Value, Value] => {
          const next = h.mul(w).add(x).tanh();
          return [next, next];
        },
        0.1,
        xs,
      );
      return hs.square().sum();
    };
    const [a, b] = [valueAndGrad(loop)(1.3), valueAndGrad(scanned)(1.3)];
    expect(b.map((x) => x.item())).toEqual(a.map((x) => x.item()));
  });

  test("carries trees, and gives the gradient of what it scans over", () => {
    const dx = grad((xs: Value) => {
      const [{ total }] = scan(
        ({ total, factor }: { total: Value; factor: Value }, x: Value): [{ total: Value; factor: Value }, null] => [
          { total: total.add(x.mul(factor)), factor: factor.mul(2) },
          null,
        ],
        { total: 0, factor: 1 },
        xs,
      );
      return total;
    })([1, 1, 1]);
    expect(dx.toArray()).toEqual([1, 2, 4]);
  });

  test("refuses what cannot be a loop", () => {
    expect(() => scan((c: Value, x: Value) => [c, x] as const, 0, value([], { shape: [0] }))).toThrow(InputError);
    expect(() => scan((c: Value, x: { a: Value; b: Value }) => [c, x.a] as const, 0, { a: [1, 2], b: [1, 2, 3] })).toThrow(ShapeError);
    expect(() => scan((c: Value, x: Value) => [stack([c, c]), x] as const, 0, [1, 2])).toThrow(ShapeError);
    const growsLater = (c: Value, x: Value) => [x.item() < 2 ? c : stack([c, c]), x] as const;
    expect(() => scan(growsLater, 0, [1, 2, 3])).toThrow(/carry of step 2/);
    expect(() => scan((c: Value, x: Value): [Value, Value | null] => [c, x.item() < 2 ? null : x], 0, [1, 2])).toThrow(InputError);
  });
});
