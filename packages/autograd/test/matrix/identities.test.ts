import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import { grad, hvp, jvp, type Value, value, valueAndGrad, vjp } from "../../src/index.js";
import { inner } from "./derivatives.js";
import { type Map_, MAPS, N } from "./maps.js";

const names = Object.keys(MAPS);
const oneMap = fc.constantFrom(...names).map((name) => ({ name, f: MAPS[name] as Map_ }));
/** Compositions of one to four maps. */
const composition = fc.array(oneMap, { minLength: 1, maxLength: 4 }).map((maps) => ({
  name: maps.map(({ name }) => name).join(", then "),
  f: (x: Value) => maps.reduce((y, { f }) => f(y), x),
  toString: () => maps.map(({ name }) => name).join(", then "),
}));
const numbers = fc.array(
  fc.integer({ min: -2000, max: 2000 }).map((k) => k / 1000),
  { minLength: N, maxLength: N },
);
const vector = numbers.map((x) => value(x));

const pullbackOf = (f: Map_, x: Value) => (vjp(f, x) as unknown as [Value, (ct: Value) => [Value]])[1];
const pull = (f: Map_, x: Value, ct: Value): Value => pullbackOf(f, x)(ct)[0];
const push = (f: Map_, x: Value, t: Value): Value => jvp(f, [x], [t])[1];
const dot = (x: Value, y: Value): Value => inner([x], [y]);
const gradient = (f: Map_, x: Value): Value => grad(f)(x);

/** Equal up to rounding of the sum of the absolute terms. */
function expectEqual(got: Value, expected: Value, relative = 1e-12): void {
  const scale = Math.max(1, ...Array.from(got.data, Math.abs), ...Array.from(expected.data, Math.abs));
  expect(got.shape).toEqual(expected.shape);
  Array.from(got.data).forEach((x, k) => expect(Math.abs(x - (expected.data[k] as number))).toBeLessThanOrEqual(relative * scale));
}

describe("identities of derivatives", () => {
  it("v·(J u) = (Jᵀ v)·u", () => {
    fc.assert(
      fc.property(composition, vector, vector, vector, ({ f }, x, u, v) => expectEqual(dot(v, push(f, x, u)), dot(pull(f, x, v), u))),
    );
  });

  it("the pullback is linear in the cotangent", () => {
    fc.assert(
      fc.property(composition, vector, vector, vector, ({ f }, x, v, w) => {
        expectEqual(
          pull(f, x, v.mul(0.7).sub(w.mul(1.3))),
          pull(f, x, v)
            .mul(0.7)
            .sub(pull(f, x, w).mul(1.3)),
        );
      }),
    );
  });

  it("the tangent map is linear in the tangent", () => {
    fc.assert(
      fc.property(composition, vector, vector, vector, ({ f }, x, u, w) => {
        expectEqual(
          push(f, x, u.mul(0.7).sub(w.mul(1.3))),
          push(f, x, u)
            .mul(0.7)
            .sub(push(f, x, w).mul(1.3)),
        );
      }),
    );
  });

  it("the gradient is linear in the function", () => {
    fc.assert(
      fc.property(composition, composition, vector, ({ f }, { f: g }, x) => {
        const both = gradient((y) => f(y).mul(2).sum().sub(g(y).sum()), x);
        expectEqual(
          both,
          gradient((y) => f(y).sum(), x)
            .mul(2)
            .sub(gradient((y) => g(y).sum(), x)),
        );
      }),
    );
  });

  it("the chain rule: a pullback of a composition is the composition of pullbacks, and of tangent maps", () => {
    fc.assert(
      fc.property(composition, composition, vector, vector, ({ f }, { f: g }, x, v) => {
        const composed = (y: Value) => g(f(y));
        expectEqual(pull(composed, x, v), pull(f, x, pull(g, f(x), v)));
        expectEqual(push(composed, x, v), push(g, f(x), push(f, x, v)));
      }),
    );
  });

  it("the product rule", () => {
    fc.assert(
      fc.property(composition, composition, vector, ({ f }, { f: g }, x) => {
        const product = gradient((y) => f(y).sum().mul(g(y).sum()), x);
        const expected = gradient((y) => f(y).sum(), x)
          .mul(g(x).sum())
          .add(gradient((y) => g(y).sum(), x).mul(f(x).sum()));
        expectEqual(product, expected);
      }),
    );
  });

  it("the Hessian is symmetric: v·(H u) = (H v)·u", () => {
    fc.assert(
      fc.property(composition, vector, vector, vector, ({ f }, x, u, v) => {
        const loss = (y: Value) => f(y).square().sum();
        const product = (w: Value) => hvp(loss, [x], [w])[0];
        expectEqual(dot(v, product(u)), dot(product(v), u), 1e-11);
      }),
    );
  });

  it("hvp is the tangent of the gradient and the gradient of the tangent", () => {
    fc.assert(
      fc.property(composition, vector, vector, ({ f }, x, u) => {
        const loss = (y: Value) => f(y).square().sum();
        const [product] = hvp(loss, [x], [u]);
        expectEqual(
          push((y) => gradient(loss, y), x, u),
          product,
          1e-11,
        );
        expectEqual(
          gradient((y) => push(loss, y, u), x),
          product,
          1e-11,
        );
        expectEqual(
          gradient((y) => dot(gradient(loss, y), u), x),
          product,
          1e-11,
        );
      }),
    );
  });

  it("grad, valueAndGrad, vjp and backward give one gradient", () => {
    fc.assert(
      fc.property(composition, numbers, ({ f }, x) => {
        const loss = (y: Value) => f(y).square().sum();
        const expected = gradient(loss, value(x));
        const leaf = autograd.param(x);
        const root = loss(leaf);
        root.backward();
        const [out, g] = valueAndGrad(loss)(value(x));
        expect(Array.from(leaf.grad.data)).toEqual(Array.from(expected.data));
        expect(Array.from(g.data)).toEqual(Array.from(expected.data));
        expect(out.item()).toBe(root.item());
        expect(Array.from(pull(loss, value(x), value(1)).data)).toEqual(Array.from(expected.data));
      }),
    );
  });

  it("createGraph changes no gradient", () => {
    fc.assert(
      fc.property(composition, numbers, ({ f }, x) => {
        const [plain, recorded] = [false, true].map((createGraph) => {
          const leaf = autograd.param(x);
          f(leaf).square().sum().backward({ createGraph });
          return leaf.grad;
        }) as [Value, Value];
        expectEqual(recorded, plain, 1e-14);
      }),
    );
  });

  it("a value used k times gets k times the gradient", () => {
    fc.assert(
      fc.property(composition, vector, fc.integer({ min: 1, max: 20 }), ({ f }, x, k) => {
        const repeated = gradient((y) => Array.from({ length: k }, () => f(y).sum()).reduce((a, b) => a.add(b)), x);
        expectEqual(repeated, gradient((y) => f(y).sum(), x).mul(k));
      }),
    );
  });
});

describe("identities of operations", () => {
  const matrix = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer())
    .map(([rows, inner_, columns, seed]) => ({ rows, inner_, columns, seed }));
  const entries = (size: number, seed: number) => Float64Array.from({ length: size }, (_, k) => Math.sin(seed + k * 1.7));

  it("matmul of any sizes is the triple loop", () => {
    fc.assert(
      fc.property(matrix, ({ rows, inner_, columns, seed }) => {
        const [a, b] = [entries(rows * inner_, seed), entries(inner_ * columns, seed + 1)];
        const expected = Float64Array.from({ length: rows * columns }, (_, k) => {
          let total = 0;
          for (let j = 0; j < inner_; j++)
            total += (a[Math.floor(k / columns) * inner_ + j] as number) * (b[j * columns + (k % columns)] as number);
          return total;
        });
        const product = autograd.matmul(value(a, { shape: [rows, inner_] }), value(b, { shape: [inner_, columns] }));
        expectEqual(product, value(expected, { shape: [rows, columns] }), 1e-14);
      }),
    );
  });

  it("(A B)ᵀ = Bᵀ Aᵀ", () => {
    fc.assert(
      fc.property(matrix, ({ rows, inner_, columns, seed }) => {
        const a = value(entries(rows * inner_, seed), { shape: [rows, inner_] });
        const b = value(entries(inner_ * columns, seed + 1), { shape: [inner_, columns] });
        expectEqual(autograd.matmul(a, b).transpose(), autograd.matmul(b.transpose(), a.transpose()), 1e-14);
      }),
    );
  });

  it("split undoes concat, and slices undo stack", () => {
    fc.assert(
      fc.property(vector, vector, (x, y) => {
        const parts = autograd.split(autograd.concat([x, y], { axis: 0 }), 2, { axis: 0 }) as readonly Value[];
        expect(parts.map((p) => p.toArray())).toEqual([x.toArray(), y.toArray()]);
        const stacked = autograd.stack([x, y], { axis: 1 });
        expect([stacked.slice(null, 0).toArray(), stacked.slice(null, 1).toArray()]).toEqual([x.toArray(), y.toArray()]);
      }),
    );
  });

  it("gathering by the indices of a sort gives its values, in order", () => {
    fc.assert(
      fc.property(numbers, fc.boolean(), (x, descending) => {
        const { values, indices } = autograd.sort(value(x), { axis: 0, descending });
        expect(values.toArray()).toEqual([...x].sort((a, b) => (descending ? b - a : a - b)));
        expect(autograd.gather(value(x), indices, { axis: 0 }).toArray()).toEqual(values.toArray());
      }),
    );
  });

  it("softmax sums to 1, and its logarithm is logSoftmax", () => {
    fc.assert(
      fc.property(vector, (x) => {
        const p = autograd.softmax(x, { axis: 0 });
        expectEqual(p.sum(), value(1), 1e-15 * 4);
        expectEqual(p.log(), autograd.logSoftmax(x, { axis: 0 }), 1e-14);
      }),
    );
  });
});
