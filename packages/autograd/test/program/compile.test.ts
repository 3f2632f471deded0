import { inspect } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  customOp,
  grad,
  GraphError,
  InputError,
  jvp,
  noGrad,
  type Param,
  param,
  scan,
  ShapeError,
  stack,
  type Value,
  value,
  valueAndGrad,
  where,
  zeroGrad,
} from "../../src/index.js";
import { compile } from "../../src/program/index.js";

/** A function, and how often it was called. */
function counted<A extends readonly unknown[], R>(f: (...args: A) => R) {
  const of = (...args: A): R => {
    of.calls++;
    return f(...args);
  };
  of.calls = 0;
  return of;
}

const ones = (...shape: number[]) => value(new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(1), { shape });

describe("a function is traced once per signature", () => {
  test("of arrays: other numbers, no other trace", () => {
    const f = counted((x: Value) => x.mul(2).sum());
    const run = compile(f);
    expect([run([1, 2]).item(), run([3, 4]).item(), run(value([5, 6])).item()]).toEqual([6, 14, 22]);
    expect(f.calls).toBe(1);
  });

  test("plain numbers are inputs, not constants", () => {
    const f = counted((x: Value, y: Value) => x.add(y));
    const run = compile(f);
    expect([run(1, 2).item(), run(3, 4).item(), run(value(5), 6).item()]).toEqual([3, 7, 11]);
    expect(f.calls).toBe(1);
  });

  test("0, -0, NaN and infinities do not go astray among the constants", () => {
    const run = compile((x: Value) => [x.mul(0), x.mul(-0), x.mul(0), x.add(NaN), x.mul(Infinity), x.mul(-Infinity), x.add(NaN)]);
    expect(run(1).map((x) => x.item())).toEqual([0, -0, 0, NaN, Infinity, -Infinity, NaN]);
  });

  test.each<[string, unknown[], unknown[]]>([
    ["another shape", [[1, 2]], [[1, 2, 3]]],
    ["another rank", [[1, 2]], [[[1, 2]]]],
    ["a number in place of an array of one", [[1]], [1]],
    ["another dtype", [[1, 2]], [Float32Array.of(1, 2)]],
    ["int32", [[1, 2]], [Int32Array.of(1, 2)]],
    ["a list in place of an array", [[1, 2]], [[value(1), value(2)]]],
    ["another key", [{ a: 1 }], [{ b: 1 }]],
    ["one leaf more", [{ a: 1 }], [{ a: 1, b: 1 }]],
    ["a leaf that is left out", [{ a: 1, b: 1 }], [{ a: 1, b: undefined }]],
    ["one argument more", [1], [1, 2]],
    ["another string", [1, "tanh"], [1, "relu"]],
    ["another boolean", [1, true], [1, false]],
    ["a boolean in place of a string", [1, true], [1, "true"]],
    ["a number in place of a string", [1, 2], [1, "2"]],
    ["null in place of undefined", [1, null], [1, undefined]],
    ["keys that read like structure", [{ "a[0]": 1, b: 2 }], [{ a: [value(1)], b: 2 }]],
    ["a string that reads like another leaf", [{ a: "x;[0].b=y", b: "z" }, 1], [{ a: "x", b: "y;[0].b=z" }, 1]],
    ["an empty list in place of an empty object", [{ a: [], b: 1 }], [{ a: {}, b: 1 }]],
    ["an empty list more", [{ b: 1 }], [{ b: 1, a: [] }]],
    ["leaves in another order", [{ a: 1, b: [1, 2] }], [{ b: [1, 2], a: 1 }]],
  ])("%s traces anew, and both stay", (_name, first, second) => {
    let traces = 0;
    const f = counted((..._args: unknown[]) => value(++traces));
    const run = compile(f) as unknown as (...args: unknown[]) => Value;
    expect([run(...first), run(...second), run(...first), run(...second)].map((x) => x.item())).toEqual([1, 2, 1, 2]);
    expect(f.calls).toBe(2);
  });

  test("strings and booleans decide at the time of tracing", () => {
    const run = compile((x: Value, kind: "tanh" | "relu", twice: boolean) => {
      const y = kind === "tanh" ? x.tanh() : x.relu();
      return twice ? y.mul(2) : y;
    });
    expect(run(-1, "relu", false).item()).toBe(0);
    expect(run(2, "relu", true).item()).toBe(4);
    expect(run(0.5, "tanh", true).item()).toBe(2 * Math.tanh(0.5));
  });

  test("whether an argument needs a gradient does not count", () => {
    const f = counted((x: Value) => x.square());
    const run = compile(f);
    run(value(2));
    run(param(2)).backward();
    run(param(2).mul(3)).backward();
    expect(f.calls).toBe(1);
  });

  test("nor do gradients, tangents and second derivatives call it again", () => {
    const f = counted((x: Value) => x.pow(3).sum());
    const run = compile(f);
    for (let k = 0; k < 3; k++) {
      grad(run)([1, 2]);
      grad((x: Value) => grad(run)(x).sum())([1, 2]);
    }
    expect(f.calls).toBe(1);
  });
});

describe("the cache", () => {
  afterEach(() => void vi.restoreAllMocks());

  test("holds 32 signatures, and drops the one that was used least recently", () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const f = counted((x: Value) => x.sum());
    const run = compile(f);
    for (let n = 1; n <= 32; n++) run(ones(n));
    for (let n = 1; n <= 32; n++) run(ones(n));
    expect(f.calls).toBe(32);
    run(ones(1)); // Now 2 is the oldest.
    run(ones(33));
    for (let n = 3; n <= 33; n++) run(ones(n));
    run(ones(1));
    expect(f.calls).toBe(33);
    expect(run(ones(2)).item()).toBe(2);
    expect(f.calls).toBe(34);
  });

  test("warns at the eighth recompilation, once, and names the function", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const run = compile(function growing(x: Value) {
      return x.sum();
    });
    for (let n = 1; n <= 8; n++) run(ones(n));
    expect(warn).not.toHaveBeenCalled();
    for (let n = 9; n <= 40; n++) run(ones(n));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toMatch(/growing.*8 times/);
  });

  test("counts for each function alone", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    for (let k = 0; k < 3; k++) {
      const run = compile((x: Value) => x.sum());
      for (let n = 1; n <= 6; n++) run(ones(n));
    }
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("params that the function captures are read at each call", () => {
  test.each([
    ["a scalar", 2, 5],
    ["an array", [2, 3], [5, -1]],
  ])("%s", (_name, before, after) => {
    const w = param(before);
    const f = counted((x: Value) => x.mul(w).sum());
    const run = compile(f);
    const expected = () => value([1, 10]).mul(w.detach()).sum().item();
    expect(run([1, 10]).item()).toBe(expected());
    w.set(after);
    expect(run([1, 10]).item()).toBe(expected());
    expect(f.calls).toBe(1);
  });

  test("where only params take part, without any argument", () => {
    const [v, w] = [param(2), param([1, 2])];
    const run = compile(() => [v.mul(v), v.add(1), v.neg().exp(), v.gt(2), w.mul(v).sum(), w.sum(), stack([v, v])]);
    const plain = () => [v.mul(v), v.add(1), v.neg().exp(), v.gt(2), w.mul(v).sum(), w.sum(), stack([v, v])].map((x) => x.toArray());
    const check = () => expect(run().map((x) => x.toArray())).toEqual(plain());
    check();
    v.set(3);
    w.set([4, 5]);
    check();
  });

  test("detached: no gradient passes, but the value is that of the call", () => {
    const w = param(2);
    const run = compile((x: Value) => x.mul(w.detach()).add(w));
    expect(run(10).item()).toBe(22);
    w.set(3);
    const y = run(10);
    expect(y.item()).toBe(33);
    y.backward();
    expect(w.grad.item()).toBe(1);
  });

  test("what is detached passes no gradient, whatever it is: arguments, captured params, what is computed of them", () => {
    const w = param(5);
    const f = (x: Value) => x.detach().mul(x).add(w.detach().mul(x)).add(x.square().detach().mul(x.square())).add(w.mul(x));
    const derivatives = (g: (x: Value) => Value) => {
      w.clearGrad();
      g(value(3)).backward();
      const [y, dy] = valueAndGrad(g)(3);
      return [y, dy, grad((x: Value) => grad(g)(x))(3), jvp(g, [3], [1])[1], w.grad].map((x) => x.item());
    };
    expect(derivatives(compile(f))).toEqual(derivatives(f));
    expect(compile((x: Value) => grad(f)(x))(3).item()).toBe(grad(f)(3).item());
    expect(compile((x: Value) => jvp(f, [x], [1])[1])(3).item()).toBe(grad(f)(3).item());
  });

  test("what is computed under noGrad passes none either", () => {
    const f = (x: Value) => noGrad(() => x.square()).add(x);
    expect(grad(f)(3).item()).toBe(1);
    expect(compile((x: Value) => grad(f)(x))(3).item()).toBe(1);
    expect(grad(compile(f))(3).item()).toBe(1);
  });

  test("as the condition of a choice, and chosen", () => {
    const [c, w] = [param(1), param(5)];
    const run = compile(() => [where(c, 1, 2), where(c.gt(0), w, 0), where(c, w, w.mul(2))]);
    expect(run().map((x) => x.item())).toEqual([1, 5, 5]);
    c.set(0);
    w.set(6);
    expect(run().map((x) => x.item())).toEqual([2, 0, 12]);
  });

  test("of which a gradient is taken inside", () => {
    const w = param([1, 2]);
    const run = compile((x: Value) => grad((v: Value) => v.pow(3).mul(x).sum())(w));
    expect(run(1).toArray()).toEqual([3, 12]);
    w.set([2, 3]);
    expect(run(1).toArray()).toEqual([12, 27]);
    run(1).sum().backward();
    expect(w.grad.toArray()).toEqual([12, 18]);
  });

  test("trees of them, as a training step captures its model", () => {
    const model = { w: param([1, -2]), b: param(0.5) };
    const step = counted((x: Value) => valueAndGrad((p: { w: Value; b: Value }) => p.w.mul(x).sum().add(p.b).square())(model));
    const run = compile(step);
    for (let k = 0; k < 3; k++) {
      const [loss, g] = run([3, 4]);
      const [expected, h] = valueAndGrad((p: { w: Value; b: Value }) => p.w.mul([3, 4]).sum().add(p.b).square())(model);
      expect([loss.item(), g.w.toArray(), g.b.item()]).toEqual([expected.item(), h.w.toArray(), h.b.item()]);
      model.w.set(model.w.detach().sub(g.w.mul(0.01)));
      model.b.set(model.b.detach().sub(g.b.mul(0.01)));
    }
    expect(step.calls).toBe(1);
  });

  test("in a custom operation, in a scan, and in a compiled function inside", () => {
    const w = param(2);
    const cube = customOp({ name: "cube", forward: (x) => x.pow(3), vjp: (ct, [x]) => [ct.mul(x!.square()).mul(3)] });
    const inner = compile((x: Value) => x.mul(w));
    const run = compile((xs: Value) => {
      const [last] = scan((c: Value, x: Value): [Value, null] => [c.mul(w).add(x), null], w, xs);
      return [cube(w), last, inner(xs.sum())];
    });
    const expected = (u: number) => [u ** 3, (u * u + 1) * u + 2, 3 * u];
    expect(run([1, 2]).map((x) => x.item())).toEqual(expected(2));
    w.set(3);
    expect(run([1, 2]).map((x) => x.item())).toEqual(expected(3));
  });

  test("given as an argument and captured at once", () => {
    const w = param(3);
    const run = compile((x: Value) => x.mul(w));
    run(w).backward();
    expect(w.grad.item()).toBe(6);
  });

  test("their elements cannot be read while the function is traced: they would be constants of the program", () => {
    const w = param([2]);
    for (const read of [() => w.item(), () => w.data[0]!, () => w.toArray() as number]) {
      expect(() => compile((x: Value) => x.mul(read()))(1)).toThrow(GraphError);
    }
  });
});

describe("what else is captured", () => {
  test("constants are constants", () => {
    const [c, table] = [value(3), value([1, 2])];
    const run = compile((x: Value) => x.mul(c).add(table).add(Float64Array.of(1, 1)).add([10, 20]));
    expect(run(2).toArray()).toEqual([18, 29]);
  });

  test("an integer constant, and one that nothing differentiates", () => {
    const index = value([1, 0], { dtype: "int32" });
    const run = compile((x: Value) => [x.mul(index), index.add(index)]);
    expect(run([2, 3]).map((x) => [x.dtype, x.toArray()])).toEqual([
      ["float64", [2, 0]],
      ["int32", [2, 0]],
    ]);
  });

  test("recorded Values are refused, with the way out", () => {
    const w = param(2);
    for (const outside of [w.mul(3), w.mul([1, 2])]) {
      const f = compile((x: Value) => x.mul(outside));
      expect(() => f(1)).toThrow(GraphError);
      expect(() => f(1)).toThrow(/recorded Value.*argument.*detach\(\)/);
      expect(
        compile((x: Value) => x.mul(outside.detach()))(1)
          .sum()
          .item(),
      ).toBe(outside.sum().item());
      expect(
        compile((x: Value, y: Value) => x.mul(y))(1, outside)
          .sum()
          .item(),
      ).toBe(outside.sum().item());
    }
  });

  test("the variable of an enclosing grad is a leaf, and what it makes of it recorded", () => {
    const f = (x: Value) => compile((y: Value) => y.mul(x).square())(3);
    expect(grad(f)(2).item()).toBe(36);
    expect(() => grad(grad(f))(2)).toThrow(/recorded Value/);
    const g = (x: Value) => compile((y: Value, z: Value) => y.mul(z).square())(3, x);
    expect(grad(grad(g))(2).item()).toBe(18);
  });
});

test("what a function returns that is no number is told from its arguments", () => {
  const named = (f: () => unknown) => compile(f as () => Value, { name: "model" });
  expect(() => named(() => undefined)()).toThrow(/^compile: what model returned is undefined; trees hold/);
  expect(() => named(() => "loss")()).toThrow(/^compile: what model returned is a string/);
  expect(() => named(() => ({ loss: "low" }))()).toThrow(/^compile: the entry \.loss is a string/);
});

describe("what would stay as it was while the function was traced", () => {
  test("the variable of a grad around the call is that of each call, for which the function is traced anew", () => {
    let variable = value(0);
    const [warn, traces] = [vi.spyOn(console, "warn").mockReturnValue(), { count: 0 }];
    const run = compile((y: Value) => (traces.count++, y.mul(variable).square()), { name: "scaled" });
    const f = (x: Value) => ((variable = x), run(2));
    for (let k = 1; k <= 10; k++) expect(valueAndGrad(f)(k).map((y) => y.item())).toEqual([4 * k * k, 8 * k]);
    expect(traces.count).toBe(10);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/scaled was traced 8 times anew .*variable of a grad.*argument/)]]);
    expect(run.explain()).toContain("scaled");
    warn.mockRestore();
  });

  test("also where the body of a scan uses it", () => {
    let variable = value(0);
    const run = compile((xs: Value) => scan((sum: Value, x: Value) => [sum.add(x.mul(variable)), null], value(0), xs)[0] as Value);
    const f = (w: Value) => ((variable = w), run([1, 2, 3]));
    for (const k of [1, 5]) expect(valueAndGrad(f)(k).map((y) => y.item())).toEqual([6 * k, 6]);
  });

  test("but a variable that the function makes itself is part of the program", () => {
    const f = (x: Value) => grad((w: Value) => w.mul(x).square())(3);
    const run = compile(f);
    for (const x of [1, 2]) expect(run(x).item()).toBe(f(value(x)).item());
  });

  test.each<[string, (w: Param) => unknown, RegExp]>([
    ["grad", (w) => w.grad, /^grad: .*cannot read the gradient of param "w".*argument/],
    ["hasGrad", (w) => w.hasGrad, /^hasGrad: .*cannot read the gradient of param "w"/],
    ["zeroGrad", (w) => zeroGrad([w]), /^zeroGrad: .*cannot forget the gradient of param "w"/],
  ])("%s of a param is refused", (_, use, message) => {
    const w = param(2, { name: "w" });
    w.square().backward();
    const run = compile((x: Value) => (use(w), x));
    expect(() => run(1)).toThrow(GraphError);
    expect(() => run(1)).toThrow(message);
    expect(w.grad.item()).toBe(4);
    expect(compile((x: Value, g: Value) => x.mul(g))(3, w.grad).item()).toBe(12);
  });
});

describe("arguments and results", () => {
  test("trees in and out", () => {
    const run = compile(({ w, b }: { w: Value; b: readonly Value[] }, x: Value) => ({
      y: [w.mul(x), b[0]!.add(b[1]!)],
      deep: { z: { x } },
    }));
    const out = run({ w: [1, 2], b: [value(3), value(4)] }, 5);
    expect([out.y[0]!.toArray(), out.y[1]!.item(), out.deep.z.x.item()]).toEqual([[5, 10], 7, 5]);
  });

  test("numbers, nests and typed arrays", () => {
    const run = compile((x: Value, y: Value, z: Value) => [x, y, z]);
    const seen = run(2, [[1], [2]], Float32Array.of(1, 2)).map((x) => [x.dtype, x.shape, x.toArray()]);
    expect(seen).toEqual([
      ["float64", [], 2],
      ["float64", [2, 1], [[1], [2]]],
      ["float32", [2], [1, 2]],
    ]);
    expect(run(Int32Array.of(7), value([1, 0], { dtype: "bool" }), 1).map((x) => [x.dtype, x.toArray()])).toEqual([
      ["int32", [7]],
      ["bool", [1, 0]],
      ["float64", 1],
    ]);
  });

  test("optional arguments, null and undefined among leaves", () => {
    const run = compile((x: Value, options?: { scale?: Value | undefined }) => ({
      y: options?.scale === undefined ? x : x.mul(options.scale),
      none: null,
    }));
    expect([run(3, undefined).y.item(), run(3, { scale: 2 }).y.item(), run(3, { scale: undefined }).y.item()]).toEqual([3, 6, 3]);
    expect(run(3, undefined).none).toBe(null);
  });

  test("that are inputs, constants, numbers, duplicates and params", () => {
    const w = param([7]);
    const run = compile((x: Value) => {
      const y = x.mul(2);
      return { x, again: x, y, twice: y, constant: value([1, 2]), number: 5, nest: [1, 2], w, first: x.slice(0) };
    });
    const read = () => Object.fromEntries(Object.entries(run([1, 2])).map(([name, z]) => [name, z.toArray()]));
    const expected = { x: [1, 2], again: [1, 2], y: [2, 4], twice: [2, 4], constant: [1, 2], number: 5, nest: [1, 2], w: [7], first: 1 };
    expect(read()).toEqual(expected);
    w.set([8]);
    expect(read()).toEqual({ ...expected, w: [8] });
  });

  test("an argument given twice", () => {
    const x = param([1, 2]);
    const run = compile((a: Value, b: Value) => a.mul(b).sum());
    run(x, x).backward();
    expect(x.grad.toArray()).toEqual([2, 4]);
  });

  test("nothing at all", () => {
    expect(compile<[], Value[]>(() => [])()).toEqual([]);
    expect(compile<[]>(() => value(3))().item()).toBe(3);
  });

  test("stay as they are, whatever is called later", () => {
    const w = param([1, 1]);
    const run = compile((x: Value) => ({ x, y: x.mul(w), z: x.add(1).sum(), t: x.reshape([2, 1]), c: value([9]), w }));
    const results = [1, 2, 3, 4].map((k) => {
      w.set([k, k]);
      const out = run([k, 10 * k]);
      return { out, copy: JSON.stringify(Object.values(out).map((x) => x.toArray())) };
    });
    for (let k = 0; k < 5; k++) run([0, 0]);
    for (const { out, copy } of results) expect(JSON.stringify(Object.values(out).map((x) => x.toArray()))).toBe(copy);
  });

  test("do not share memory with an argument's typed array that changes later", () => {
    const run = compile((x: Value) => [x, x.add(0), x.reshape([1, 2])]);
    const data = Float64Array.of(1, 2);
    const out = run(value(data.slice(), { shape: [2] }));
    data.fill(0);
    expect(out.map((x) => x.toArray())).toEqual([[1, 2], [1, 2], [[1, 2]]]); // prettier-ignore
  });

  test("objects of classes are refused, also after a call with a plain one", () => {
    const run = compile((_: object, x: Value) => x.mul(2));
    expect(run({}, [1]).toArray()).toEqual([2]);
    for (const odd of [new Map([[1, 2]]), new Date(0), /x/]) expect(() => run(odd as never, [1])).toThrow(InputError);
    expect(run(Object.create(null) as object, [1]).toArray()).toEqual([2]);
  });

  test("what is no number is refused, with its place", () => {
    const run = compile((x: unknown) => x as Value) as unknown as (x: unknown) => Value;
    expect(() => run({ a: [value(1), () => 1] })).toThrow(/compile: the argument \[0\]\.a\[1\] is .*function/);
    expect(() => run([[1, 2], [3]])).toThrow(ShapeError);
    expect(() => compile<[]>((() => "text") as never)()).toThrow(InputError);
    expect(() => compile<[]>((() => undefined) as never)()).toThrow(InputError);
    expect(() => compile(3 as never)).toThrow(/compile: expected a function/);
  });
});

describe("while a function is traced", () => {
  test("printing works", () => {
    const seen: string[] = [];
    compile((x: Value) => {
      seen.push(String(x), `${String(x.mul(2))}`, inspect(x.sum()));
      return x;
    })([1, 2]);
    expect(seen).toEqual(["float64 [2] (traced)", "float64 [2] (traced)", "float64 [] (traced)"]);
  });

  test("a compiled function inside is a part of it", () => {
    const f = counted((x: Value) => x.square());
    const inner = compile(f);
    const g = counted((x: Value) => inner(inner(x)).add(inner(1)));
    const outer = compile(g);
    expect([outer(2).item(), outer(3).item()]).toEqual([17, 82]);
    expect([g.calls, f.calls]).toEqual([1, 3]);
    expect(inner(5).item()).toBe(25);
    expect(f.calls).toBe(4);
  });

  test("noGrad around, and inside", () => {
    const w = param(2);
    const run = compile((x: Value) => x.mul(w));
    expect(noGrad(() => run(3)).requiresGrad).toBe(false);
    expect(run(3).requiresGrad).toBe(true);
    expect(run(3).item()).toBe(6);
    const fresh = compile((x: Value) => x.mul(w));
    expect(noGrad(() => fresh(3)).item()).toBe(6);
    fresh(3).backward();
    expect(w.grad.item()).toBe(3);
    expect(compile((x: Value) => noGrad(() => x.square()).add(x))(3).item()).toBe(12);
  });

  test("a throw leaves everything as it was, and nothing cached", () => {
    let fail = true;
    const f = counted((x: Value) => {
      if (fail) throw new RangeError("on purpose");
      return x.mul(2);
    });
    const run = compile(f);
    const nested = compile((x: Value) => scan((c: Value, y: Value): [Value, Value] => [run(c), y], 1, x)[0]);
    const inGrad = compile((x: Value) => grad((y: Value) => run(y))(x));
    for (const call of [() => run(1), () => nested([1]), () => inGrad(1)]) {
      expect(call).toThrow(RangeError);
      const w = param(3);
      const y = w.square();
      expect([y.requiresGrad, y.item()]).toEqual([true, 9]); // nothing is traced, everything recorded
      expect(noGrad(() => w.square()).requiresGrad).toBe(false);
    }
    fail = false;
    const before = f.calls;
    expect([run(1).item(), run(2).item(), nested([1]).item(), inGrad(1).item()]).toEqual([2, 4, 2, 2]);
    expect(f.calls).toBe(before + 3);
  });

  test("an async function is refused, and leaves everything as it was", () => {
    const run = compile((async (x: Value) => x) as never) as unknown as (x: number) => unknown;
    expect(() => run(1)).toThrow(InputError);
    expect(() => run(1)).toThrow(/compile: the function is async/);
    expect(param(1).mul(2).requiresGrad).toBe(true);
  });
});

/** The place of the caller, as every error of the library ends. */
const HERE = /\(at .*compile\.test\.ts:\d+:\d+\)$/;

describe("what cannot be traced is refused: the operation, the line, the way out", () => {
  const REFUSED: readonly (readonly [string, (x: Value, k: Value) => unknown, RegExp])[] = [
    ["item()", (x) => x.sum().item(), /item\(\).*traced|traced.*item\(\)/],
    ["data", (x) => x.data, /\.data/],
    ["an element of data", (x) => x.data[0], /\.data/],
    ["toArray()", (x) => x.toArray(), /toArray\(\)/],
    ["a + 1", (x) => (x as unknown as number) + 1, /a\.add\(b\)/],
    ["-a", (x) => -(x as unknown as number), /a\.add\(b\)/],
    ["a < b", (x, k) => (x as unknown as number) < (k as unknown as number), /a\.lt\(b\)/],
    ["if (x > 1)", (x) => ((x as unknown as number) > 1 ? x : x.neg()), /a\.lt\(b\)/],
    ["if (x.lt(1).item())", (x) => (x.sum().lt(1).item() === 1 ? x : x.neg()), /where\(/],
    ["item() of which function", (x) => x.sum().item(), /while model is traced/],
    ["slicing by a traced number", (x, k) => x.slice(k as unknown as number), /slice.*gather|slice.*traced|traced.*slice/],
    ["a range to a traced number", (x, k) => x.slice([0, k as unknown as number]), /slice.*gather|slice.*traced|traced.*slice/],
    ["a shape of traced numbers", (x, k) => x.reshape([k as unknown as number, 1]), /shapes that depend on them/],
    ["backward()", (x) => x.sum().backward(), /backward.*grad or valueAndGrad/],
    ["setting a param", (x) => param([1, 2]).set(x), /set.*(traced|compile)/],
  ];

  test.each(REFUSED)("%s", (_name, f, message) => {
    const run = compile(
      (x: Value, k: Value) => {
        f(x, k);
        return x;
      },
      { name: "model" },
    );
    let error: unknown;
    try {
      run([1, 2], 1);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(Error);
    const { name, message: got } = error as Error;
    expect(name).toMatch(/^(Graph|Input|Index|Shape)Error$/);
    expect(got).toMatch(message);
    expect(got).toMatch(HERE);
    expect(param(1).mul(2).requiresGrad).toBe(true);
  });

  test("a param that was to be set keeps its value", () => {
    const w = param([1, 2]);
    expect(() => compile((x: Value) => (w.set(x), x))([3, 4])).toThrow(GraphError);
    expect(w.toArray()).toEqual([1, 2]);
  });

  test("errors of operations are eager's, with the line within the function", () => {
    const f = (x: Value) => x.matmul(value([[1, 2, 3]]));
    const message = (call: () => unknown): string => {
      try {
        call();
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    expect(message(() => compile(f)([[1, 2]]))).toBe(message(() => f(value([[1, 2]]))));
    expect(message(() => compile(f)([[1, 2]]))).toMatch(HERE);
  });

  test("a traced Value that leaks out, and is used later", () => {
    let leaked: Value = value(0);
    const run = compile((x: Value) => (leaked = x.mul(2)));
    const w = param(1);
    for (const argument of [value(1), value([1, 2])]) {
      run(argument);
      const uses = [
        () => leaked.add(1),
        () => leaked.mul(w),
        () => leaked.sum().exp(),
        () => leaked.toArray(),
        () => leaked.gt(0),
        () => stack([leaked, leaked]),
        () => compile((x: Value) => x.mul(leaked))(1),
        () => run(leaked),
        () => grad((x: Value) => x.mul(leaked).sum())(1),
      ];
      for (const use of uses) {
        expect(use).toThrow(GraphError);
        expect(use).toThrow(/compile\(\)/);
      }
    }
  });

  test("a traced Value of a scan's step that leaks into the function around it", () => {
    let leaked: Value = value(0);
    const run = compile((xs: Value) => {
      const [last] = scan((c: Value, x: Value): [Value, null] => [(leaked = c.add(x)), null], 0, xs);
      return last.add(leaked);
    });
    expect(() => run([1, 2])).toThrow(GraphError);
    expect(() => run([1, 2])).toThrow(/after the trace|another/);
  });
});
