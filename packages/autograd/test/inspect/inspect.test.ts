import { describe, expect, test } from "vitest";
import { customOp, GraphError, grad, InputError, noGrad, param, scan, scope, sigmoid, type Value, value } from "../../src/index.js";
import { openCoreOf } from "../../src/tape/segments.js";
import { randomFrom } from "../matrix/sampling.js";
import { checkGradients, contributions, toSvg } from "../../src/inspect/index.js";

describe("contributions", () => {
  test("one share a use, in order of recording; they add up to the gradient", () => {
    const w = param(1.3);
    let h: Value = value(0.2);
    for (const x of [0.5, -1, 2]) h = sigmoid(w.mul(h).add(x));
    const shares = contributions(h, w).map((c) => c.value.item());
    h.backward();
    expect(shares.length).toBe(3);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(w.grad.item(), 15);
  });

  test("one share a scope, as scan labels its steps", () => {
    const w = param([0.3, 0.4]);
    const [last] = scan((h: Value, x: Value): [Value, null] => [h.mul(w).add(x).tanh().mul(w), null], value([0, 0.1]), [1, 2, 3]);
    const shares = contributions(last.sum(), w, { by: "scope" });
    expect(shares.map((c) => c.label)).toEqual(["step 1", "step 2", "step 3"]);
    const total = shares.map((c) => c.value).reduce((a, b) => a.add(b));
    last.sum().backward();
    expect(total.toArray()).toEqual((w.grad.toArray() as number[]).map((g): unknown => expect.closeTo(g, 14)));
  });

  test("nested scopes, and uses outside any", () => {
    const w = param(2);
    const y = scope("outer", () => scope("inner", () => w.mul(3)).add(w.mul(5))).add(w);
    expect(contributions(y, w).map(({ label, value: v }) => [label, v.item()])).toEqual([
      ["outer/inner", 3],
      ["outer", 5],
      ["", 1],
    ]);
  });

  test("of an interior value; the graph and every .grad stay as they were", () => {
    const w = param(3);
    const y = w.square();
    const root = y.mul(2).add(y.square());
    expect(contributions(root, y).map((c) => c.value.item())).toEqual([2, 18]);
    expect(w.hasGrad).toBe(false);
    root.backward();
    expect(w.grad.item()).toBe(120);
    expect(() => contributions(param([1, 2]).mul(2), w)).toThrow(GraphError);
  });
});

describe("scopes", () => {
  test("under which nothing was recorded leave no mark", () => {
    const w = param(2);
    const y = scope("kept", () => w.square());
    const before = openCoreOf().scopes.length;
    for (let k = 0; k < 1000; k++) noGrad(() => scope(`step ${k}`, () => w.square()));
    for (let k = 0; k < 1000; k++) scope(`step ${k}`, () => 1);
    expect(openCoreOf().scopes.length).toBeLessThan(before + 3);
    expect(contributions(y.add(w), w).map(({ label }) => label)).toEqual(["kept", ""]);
  });

  test("many scopes are told apart", () => {
    const w = param(2);
    let y: Value = w;
    for (let k = 0; k < 3000; k++) y = scope(`step ${k}`, () => y.add(w));
    expect(
      contributions(y, w, { by: "scope" })
        .slice(1, 4)
        .map(({ label }) => label),
    ).toEqual(["step 1", "step 2", "step 3"]);
  });
});

test("contributions of the root itself, and of a constant", () => {
  const w = param(2);
  expect(contributions(w, w).map(({ value: v }) => v.item())).toEqual([1]);
  expect(() => contributions(w.square(), value(2))).toThrow(GraphError);
});

test("a hook that returns no Value is refused", () => {
  const y = param(2).square();
  y.registerHook(() => 3 as never);
  expect(() => y.backward()).toThrow(InputError);
});

describe("checkGradients", () => {
  test("agrees for right gradients, orders 1 and 2", () => {
    const report = checkGradients(
      (x: Value, { w }: { w: Value }) => x.matmul(w).tanh().sum(),
      [
        [[0.1, 0.2]],
        {
          w: [
            [1, 2, 0.5],
            [3, 1, 0.25],
          ],
        },
      ],
      { order: 2 },
    );
    expect(report.ok).toBe(true);
    expect(report.checked).toBe(8 + 8 + 64);
    expect(report.worst?.error).toBeLessThan(1e-8);
  });

  test("names the entry that disagrees, and by how much", () => {
    const wrongAt1 = customOp({
      name: "wrong",
      forward: (x) => x.square(),
      vjp: (ct, [x]) => [ct.mul((x as Value).mul(2)).mul([1, 1.01])],
    });
    const report = checkGradients(({ w }: { w: Value }) => wrongAt1(w).sum(), [{ w: [1, 3] }]);
    expect(report.ok).toBe(false);
    expect(report.worst?.entry).toBe("argument 0 .w[1]");
    expect(report.worst?.analytic).toBeCloseTo(6.06, 12);
    expect(report.worst?.numeric).toBeCloseTo(6, 6);
    expect(report.message).toMatch(/argument 0 \.w\[1\]/);
  });

  test("a wrong second derivative is found by order 2 alone", () => {
    const stopsSecond = customOp({
      name: "stopsSecond",
      forward: (x) => x.pow(3),
      vjp: (ct, [x]) => [ct.mul((x as Value).detach().square().mul(3))],
    });
    const f = (x: Value): Value => stopsSecond(x).sum();
    expect(checkGradients(f, [[1, 2]]).ok).toBe(true);
    const report = checkGradients(f, [[1, 2]], { order: 2 });
    expect(report.ok).toBe(false);
    expect(report.worst?.of).toMatch(/Hessian/);
  });

  test("needs float64", () => {
    expect(() => checkGradients((x: Value) => x.sum(), [value([1, 2], { dtype: "float32" })])).toThrow(InputError);
  });
});

type Numbers = readonly [left: number, top: number, width: number, height: number];
type EdgeNumbers = [number, number, number, number, number, number, number, number, number?];

describe("toSvg", () => {
  test("draws each operation, leaf and constant once, and escapes names", () => {
    const w = param(2, { name: "<w>" });
    const svg = toSvg(w.mul(w).add(3).tanh());
    for (const text of [">mul<", ">add<", ">tanh<", "&#60;w&#62;", ">3<"]) expect(svg.split(text).length).toBe(2);
    expect(svg.match(/<path/g)?.length).toBe(5);
  });

  const toy = (steps: number): Value => {
    const [u, v, w, s] = [0.7, -0.4, 1.3, 0.25].map((x) => param(x)) as unknown as [Value, Value, Value, Value];
    const errors: Value[] = [];
    let y = s;
    for (let t = 0; t < steps; t++) {
      y = w.mul(y).add(v.mul(t)).sigmoid();
      errors.push(u.mul(y).sub(1).square());
    }
    return errors.reduce((a, b) => a.add(b));
  };
  const diamond = (): Value => {
    const x = param(0.5);
    const y = x.square();
    return y.sin().exp().tanh().mul(y.cos()).add(y).mul(x);
  };
  const tangle = (seed: number): Value => {
    const random = randomFrom(seed);
    const values: Value[] = [0.1, 0.2, 0.3].map((x) => param(x));
    const any = (): Value => values[Math.floor(random() * values.length)]!;
    for (let k = 0; k < 40; k++) values.push(random() < 0.2 ? any().sin() : any().add(any()));
    return values.slice(3).reduce((a, b) => a.add(b));
  };

  test.each<[string, Value]>([
    ["a diamond with long edges", diamond()],
    ["the toy network over 3 steps", toy(3)],
    ["over 20 steps", toy(20)],
    ...[1, 2, 3].map((seed): [string, Value] => [`a tangle, seed ${seed}`, tangle(seed)]),
  ])("no edge runs under a box, and no box over another: %s", (_name, root) => {
    const svg = toSvg(root);
    const boxes = [...svg.matchAll(/<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"/g)].map(
      (m) => m.slice(1).map(Number) as unknown as Numbers,
    );
    const inside = ([x, y]: readonly [number, number]): boolean => boxes.some(([l, t, w, h]) => x > l && x < l + w && y > t && y < t + h);
    const over = boxes.filter(([x, y], k) => boxes.slice(0, k).some(([l, t, w]) => y === t && Math.abs(x - l) < w));
    expect(over).toEqual([]);
    const edges = [...svg.matchAll(/<path d="M(\S+) (\S+)C(\S+) (\S+) (\S+) (\S+) ([^\sV]+) ([^V"]+)(?:V([^"]+))?"/g)];
    expect(edges.length).toBe(svg.split("<path").length - 1);
    const starts = new Set(boxes.map(([x, y, w, h]) => `${x + w / 2} ${y + h}`));
    for (const edge of edges) if (edge[9] !== undefined) starts.add(`${edge[7]} ${edge[9]}`);
    const under = new Set<string>();
    for (const edge of edges) {
      expect(starts).toContain(`${edge[1]} ${edge[2]}`);
      const [x0, y0, x1, y1, x2, y2, x3, y3, end = y3] = edge
        .slice(1)
        .filter((x) => x !== undefined)
        .map(Number) as EdgeNumbers;
      for (let k = 0; k <= 32; k++) {
        const [t, s] = [k / 32, 1 - k / 32];
        const along = (a: number, b: number, c: number, d: number): number =>
          s ** 3 * a + 3 * s * s * t * b + 3 * s * t * t * c + t ** 3 * d;
        if (inside([along(x0, x1, x2, x3), along(y0, y1, y2, y3)]) || inside([x3, s * y3 + t * end])) under.add(edge[0]);
      }
    }
    expect(under).toEqual(new Set());
  });

  test("the operands' edges come side by side, and a long one is drawn once however many boxes it leads to", () => {
    const w = param(2);
    expect(new Set(toSvg(w.mul(w)).match(/<path[^>]*>/g)).size).toBe(2);
    const drawn = (steps: number): number => toSvg(toy(steps)).split("<path").length;
    expect(drawn(20)).toBeLessThan(2.5 * drawn(10));
  });

  test("refuses a graph too large to read", () => {
    let y: Value = param(1);
    for (let k = 0; k < 300; k++) y = y.add(1);
    expect(() => toSvg(y)).toThrow(/300 operations/);
  });
});

test("customOp: forward mode and second derivatives come from its vjp", () => {
  const cube = customOp({ name: "cube", forward: (x) => x.pow(3), vjp: (ct, [x]) => [ct.mul((x as Value).square().mul(3))] });
  expect(checkGradients((x: Value) => cube(x).mul(x).sum(), [[0.5, 2]], { order: 2 }).ok).toBe(true);
  expect(grad(grad((x: Value) => cube(x)))(2).item()).toBeCloseTo(12, 12);
  expect(checkGradients((x: Value) => cube(x), [1.5], { order: 2 }).ok).toBe(true);
});
