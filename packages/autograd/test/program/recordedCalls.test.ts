import { describe, expect, test } from "vitest";
import { customOp, grad, jvp, noGrad, param, type Value, value, valueAndGrad, vjp, zeroGrad } from "../../src/index.js";
import { wrongAgainstEager } from "./agreement.js";
import { compiled, RUNNERS } from "./compiledRun.js";

describe("a call of a compiled function is one node of the graph", () => {
  test("whose 0-d operands are as weak as those of the operations in it", () => {
    const scaled = compiled((x: Value, s: Value) => x.mul(s));
    const s = param(2);
    const y = scaled(value([1, 2], { dtype: "float32" }), s);
    y.sum().backward();
    expect([y.dtype, y.toArray(), s.grad.item()]).toEqual(["float32", [2, 4], 3]);
  });

  test("several calls in one graph, among other operations", () => {
    const f = compiled((x: Value, w: Value) => x.mul(w).tanh());
    const plain = (x: Value, w: Value) => x.mul(w).tanh();
    const loss = (g: typeof plain, x: Value, w: Value) => {
      let y = x;
      for (let k = 0; k < 4; k++) y = g(y.add(k), w).sub(g(x, w.sin()));
      return y.square().sum();
    };
    const gradients = (g: typeof plain) => {
      const [x, w] = [param([0.3, -0.7]), param(0.8)];
      loss(g, x, w).backward();
      return [...x.grad.data, w.grad.item()];
    };
    const [got, expected] = [gradients(f), gradients(plain)];
    got.forEach((g, k) => expect(Math.abs(g - expected[k]!)).toBeLessThanOrEqual(1e-14));
  });

  test("gradients go to arguments and to captured params alike, and add up over calls", () => {
    const [w, b] = [param([2, 3]), param(1)];
    const f = compiled((x: Value) => x.mul(w).sum().add(b));
    const x = param([5, 7]);
    f(x).add(f(x)).backward();
    expect([x.grad.toArray(), w.grad.toArray(), b.grad.item()]).toEqual([[4, 6], [10, 14], 2]); // prettier-ignore
    f(x).backward();
    expect([x.grad.toArray(), b.grad.item()]).toEqual([[6, 9], 3]);
  });

  test("what is not reached gets zeros, or nothing", () => {
    const w = param(3);
    const f = compiled((x: Value, y: Value) => ({ a: x.mul(2), b: y.square().mul(w), c: value([1, 2]), n: x.gt(0) }));
    const [x, y] = [param(1), param(4)];
    const out = f(x, y);
    expect([out.a.requiresGrad, out.b.requiresGrad, out.n.requiresGrad]).toEqual([true, true, false]);
    out.a.backward();
    expect([x.grad.item(), y.grad.item(), w.grad.item()]).toEqual([2, 0, 0]);
  });

  test("a call without a param, or under noGrad, is a constant", () => {
    const f = compiled((x: Value) => x.square());
    expect(f(value(2)).requiresGrad).toBe(false);
    expect(noGrad(() => f(param(2))).requiresGrad).toBe(false);
    expect(grad((x: Value) => f(x.detach()).add(x))(3).item()).toBe(1);
  });

  test("a second backward pass throws, and one after retainGraph adds", () => {
    const f = compiled((x: Value) => x.square().sum());
    const w = param([1, 2]);
    const y = f(w);
    y.backward({ retainGraph: true });
    y.backward();
    expect(w.grad.toArray()).toEqual([4, 8]);
    expect(() => y.backward()).toThrow(/retainGraph/);
    expect(w.grad.toArray()).toEqual([4, 8]);
    const z = f(w);
    z.add(1).backward();
    expect(() => z.mul(2).backward()).toThrow(/retainGraph/);
  });

  test("createGraph: gradients of gradients, to arguments and captured params", () => {
    const w = param(3);
    const f = compiled((x: Value) => x.pow(3).mul(w));
    const x = param(2);
    f(x).backward({ createGraph: true });
    const [dx, dw] = [x.grad, w.grad];
    expect([dx.item(), dw.item()]).toEqual([36, 8]);
    zeroGrad([x, w]);
    dx.add(dw.mul(10)).backward();
    expect([x.grad.item(), w.grad.item()]).toEqual([6 * 2 * 3 + 10 * 12, 12]);
  });

  test("hooks on arguments, results and captured params", () => {
    const w = param(3);
    const f = compiled((x: Value) => x.mul(w));
    const x = param(2);
    const between = x.mul(1);
    const y = f(between);
    const seen: number[] = [];
    const note = (factor: number) => (g: Value) => {
      seen.push(g.item());
      return g.mul(factor);
    };
    y.registerHook(note(10));
    between.registerHook(note(2));
    w.registerHook(note(5));
    y.retainGrad();
    y.backward();
    expect([y.grad.item(), x.grad.item(), w.grad.item()]).toEqual([10, 60, 100]);
    expect(seen.sort((a, b) => a - b)).toEqual([1, 20, 30]);
  });

  test("a throw in a backward pass leaves gradients and graph as they were", () => {
    const f = compiled((x: Value) => x.square());
    const w = param(3);
    const y = f(w.mul(2));
    const remove = w.registerHook(() => {
      throw new RangeError("on purpose");
    });
    expect(() => y.backward()).toThrow(RangeError);
    expect(w.hasGrad).toBe(false);
    remove();
    y.backward();
    expect(w.grad.item()).toBe(24);
  });

  test("a graph that was recorded before a param changed keeps its value", () => {
    const w = param(2);
    const f = compiled((x: Value) => x.mul(w).mul(w));
    const y = f(param(1));
    w.set(10);
    y.backward();
    expect([y.item(), w.grad.item()]).toEqual([4, 4]);
  });

  test("results that are the argument, or given twice: every cotangent arrives", () => {
    const f = compiled((x: Value) => {
      const y = x.mul(2);
      return [x, y, y, x];
    });
    const x = param(3);
    const [a, b, c, d] = f(x) as [Value, Value, Value, Value];
    a.add(b.mul(10)).add(c.mul(100)).add(d.mul(1000)).backward();
    expect(x.grad.item()).toBe(1 + 20 + 200 + 1000);
  });

  test("a result that is a captured param", () => {
    const w = param([1, 2]);
    const f = compiled((x: Value) => [w, x.mul(w)]);
    const [same, y] = f(value(2)) as [Value, Value];
    same.sum().add(y.sum()).backward();
    expect(w.grad.toArray()).toEqual([3, 3]);
  });

  test("integers among arguments and results carry nothing", () => {
    const f = compiled((x: Value, k: Value) => ({ y: x.mul(k), next: k.add(1), many: x.gt(k).sum() }));
    const x = param([1.5, 2.5]);
    const { y, next, many } = f(x, value([1, 3], { dtype: "int32" }));
    y.sum().backward();
    expect([x.grad.toArray(), next.dtype, next.toArray(), many.item(), next.requiresGrad]).toEqual([[1, 3], "int32", [2, 4], 1, false]);
    const [dx, dk] = valueAndGrad((a: Value, k: Value) => f(a, k).y.sum(), { argnums: [0, 1] })([1, 2], Int32Array.of(3, 4))[1];
    expect([dx.toArray(), dk.toArray()]).toEqual([
      [3, 4],
      [0, 0],
    ]); // prettier-ignore
  });

  test("vjp: a pullback may be called several times", () => {
    const f = compiled((x: Value, w: Value) => ({ p: x.mul(w), q: x.sin() }));
    const [out, pullback] = vjp(f, [1, 2], 3);
    expect(out.p.toArray()).toEqual([3, 6]);
    expect(pullback({ p: [1, 0], q: [0, 0] })[1].item()).toBe(1);
    expect(pullback({ p: [0, 1], q: [0, 0] })[0].toArray()).toEqual([0, 3]);
    expect(pullback({ p: [0, 0], q: [1, 1] })[0].toArray()).toEqual([Math.cos(1), Math.cos(2)]);
  });

  test("a gradient penalty trains: the gradient of a compiled loss is compiled, and differentiated by a captured param", () => {
    const w = param(2);
    const penalty = compiled((x: Value) => grad((y: Value) => w.mul(y.square()))(x).square());
    const y = penalty(value(3));
    y.backward();
    expect([y.item(), w.grad.item()]).toEqual([144, 144]);
  });
});

type Map_ = (x: Value) => Value;
const reverse =
  (f: Map_): Map_ =>
  (x) =>
    grad(f)(x);
const forward =
  (f: Map_): Map_ =>
  (x) =>
    jvp(f, [x], [1])[1];
const MODES = { reverse, forward };
const WAYS: Readonly<Record<string, (f: Map_) => Map_>> = { eager: (f) => f, compiled: (f) => compiled(f) };
const PAIRS = Object.entries(MODES).flatMap(([a, outer]) =>
  Object.entries(MODES).flatMap(([b, inner]) =>
    Object.entries(WAYS).flatMap(([p, outerWay]) =>
      Object.entries(WAYS).flatMap(([q, functionWay]) =>
        Object.entries(WAYS).map(
          ([r, innerWay]) =>
            [`${p} ${a} of ${q} over ${r} ${b}`, (f: Map_) => outerWay(outer(functionWay(f))), (f: Map_) => innerWay(inner(f))] as const,
        ),
      ),
    ),
  ),
);

describe.each(PAIRS)("%s", (_name, outer, inner) => {
  test("d/dx [x · d/dy (x + y)] = 1, without confusing the two", () => {
    expect(outer((x) => x.mul(inner((y) => x.add(y))(value(3))))(value(2)).item()).toBe(1);
    expect(outer((x) => x.mul(inner((y) => x.add(y))(x)))(value(2)).item()).toBe(1);
  });

  test("an inner function that captures the outer variable", () => {
    expect(outer((x) => inner((y) => x.square().mul(y.pow(3)))(x))(value(2)).item()).toBeCloseTo(96, 10);
    expect(outer((x) => inner((y) => x.square().mul(y.pow(3)))(value(5)))(value(2)).item()).toBeCloseTo(300, 10);
  });

  test("second derivatives, through scalars and arrays", () => {
    const t = Math.tanh(0.7);
    expect(outer(inner((x) => x.tanh()))(value(0.7)).item()).toBeCloseTo(-2 * t * (1 - t * t), 12);
    expect(outer(inner((x) => value([1, 2]).mul(x).pow(3).sum()))(value(2)).item()).toBeCloseTo(108, 9);
  });

  test("the third derivative", () => {
    expect(outer(inner(reverse((x) => x.pow(4))))(value(2)).item()).toBeCloseTo(48, 9);
    expect(outer(inner(forward((x) => x.pow(4))))(value(2)).item()).toBeCloseTo(48, 9);
  });
});

describe("a custom operation in a compiled function", () => {
  const scaledSquare = customOp({
    name: "scaledSquare",
    forward: (x, y) => x.square().mul(y),
    vjp: (ct, [x, y]) => [ct.mul(x!).mul(y!).mul(2), ct.mul(x!.square())],
  });
  /** Its rule is wrong on purpose, so that nobody can have differentiated what it computes instead. */
  const clipped = customOp({ name: "clipped", forward: (x) => x.mul(3), vjp: (ct, _xs, out) => [ct.minimum(1).mul(out)] });
  const halfConstant = customOp({ name: "halfConstant", forward: (x, y) => x.mul(y), vjp: (ct, [, y]) => [ct.mul(y!), null] });

  test.each(RUNNERS)("has its rule in all modes and orders: $name", (runner) => {
    const f = (x: Value, y: Value) => [scaledSquare(x.sin(), y), clipped(x), halfConstant(x, y.exp())];
    expect(wrongAgainstEager(f, [value(0.7), value(-1.3)], runner)).toEqual([]);
    expect(wrongAgainstEager(f, [value([0.7, -1.1]), value([-1.3, 0.4])], runner)).toEqual([]);
  });

  test("its vjp is what counts, not its forward", () => {
    const f = compiled((x: Value) => clipped(x).mul(5).sum());
    expect(grad(f)([1, 2]).toArray()).toEqual([3, 6]);
    expect(compiled((x: Value) => grad((y: Value) => clipped(y).mul(5).sum())(x))(value([1, 2])).toArray()).toEqual([3, 6]);
  });
});
