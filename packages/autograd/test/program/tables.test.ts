import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import { grad, matmul, softmax, type Value, value } from "../../src/index.js";
import { adam, sgd, type UpdateRule } from "../../src/optim/index.js";
import { disagreement, disagreements } from "../matrix/agreement.js";
import {
  ARITHMETIC,
  CONDITIONS,
  type Pattern,
  PATTERNS,
  WHERE,
  wrongBroadcast,
  wrongCondition,
  wrongSpecialConditions,
  wrongWhere,
} from "../matrix/broadcastChecks.js";
import { elementwise } from "../matrix/calls.js";
import { inner, randomLike } from "../matrix/derivatives.js";
import { array, INTEGRAL, OPERANDS, PROMOTION, RESULTS, TRANSCENDENTAL } from "../matrix/dtypeCases.js";
import { EMPTY, empty, EXTREME, GUARDED, SCALARS } from "../matrix/edgeCases.js";
import { LENGTHS, randomOperands } from "../matrix/lengths.js";
import { METHODS, methodOf } from "../matrix/methods.js";
import { type Named, NETWORKS, read, wrongArrays } from "../matrix/networks.js";
import { constant, decodeArray, isFloating } from "../matrix/references.js";
import type { Runner } from "../matrix/runners.js";
import { isFull, sampled } from "../matrix/sampling.js";
import { type Trajectory, TRAJECTORIES, wrongTrajectory } from "../matrix/trajectories.js";
import { wrongAgainstEager, wrongElements } from "./agreement.js";
import { both, compiled, ofCompiled, RUNNERS } from "./compiledRun.js";

/** The tables of test/matrix, compiled. */

/** Each case with every runner; by default with one, in turns. */
const inTurns = <C extends readonly unknown[]>(cases: readonly C[]): [string, C, Runner][] =>
  cases.flatMap((c, k) =>
    (isFull ? RUNNERS : [RUNNERS[k % RUNNERS.length]!]).map((runner): [string, C, Runner] => [
      `${String(c[0])}, ${runner.name}`,
      c,
      runner,
    ]),
  );

const withArrays = ([p, q]: Pattern) => `${p.length},${q.length}`;

describe.each(RUNNERS)("broadcasting: $name", (runner) => {
  const every = runner === both ? 24 : 12;

  describe.each(Object.keys(ARITHMETIC))("%s", (op) => {
    it.each(sampled(PATTERNS, every, withArrays))("%j with %j", (p, q, shape) => {
      expect(wrongBroadcast(op, [p, q, shape], 1, runner)).toEqual([]);
    });
  });

  it.each(WHERE)("where of %j, %j and %j", (...shapes) => {
    expect(wrongWhere(shapes, runner)).toEqual([]);
  });
});

describe.each(Object.keys(CONDITIONS))("%s, compiled", (op) => {
  it.each(sampled(PATTERNS, 4, withArrays))("broadcasts %j with %j", (p, q, shape) => {
    expect(wrongCondition(op, [p, q, shape], ofCompiled)).toEqual([]);
  });

  it("is that of IEEE 754 at special points", () => {
    expect(wrongSpecialConditions(op, ofCompiled)).toEqual([]);
  });
});

describe("empty arrays, scalars and extreme operands, compiled", () => {
  it.each([...EMPTY, ...SCALARS, ...EXTREME])("%s", (_name, f, operands, shape, elements) => {
    const x = compiled(f)(...operands);
    expect([x.shape, x.toArray()]).toEqual([shape, elements]);
    expect(wrongElements((...xs) => [f(...xs)], operands)).toEqual([]);
  });

  const differentiable = [
    ...EMPTY.filter(([name]) => !name.startsWith("the mean")),
    ...SCALARS.filter(([, , operands]) => operands.every(isFloating)),
  ];

  it.each(inTurns(differentiable))("the derivatives of %s are eager's", (_name, [, f, operands], runner) => {
    expect(wrongAgainstEager((...xs) => [f(...xs)], operands, runner)).toEqual([]);
  });

  const unaryOrSame = Object.keys(elementwise).filter((op) => op !== "where");
  it.each(inTurns(unaryOrSame.map((op) => [op] as const)))("of nothing, %s", (_name, [op], runner) => {
    const f = elementwise[op]!;
    const call = (x: Value) => [f(...(op in ARITHMETIC ? [x, x] : [x]))];
    expect(wrongAgainstEager(call, [empty(0, 3)], runner)).toEqual([]);
  });

  it.each(["max", "min"] as const)("%s of nothing throws as eagerly", (op) => {
    expect(() => compiled((x: Value) => autograd[op](x))(empty(0))).toThrowError(autograd.ShapeError);
    expect(() => compiled((x: Value) => autograd[op](x, { axis: 1 }))(empty(2, 0))).toThrowError(new RegExp(`${op}.*\\[2, 0\\].*empty`));
  });

  it("gradients through empty arrays are zeros of the operands' shapes", () => {
    for (const { inside, outside } of RUNNERS) {
      const f = inside((a: Value, b: Value, c: Value) =>
        matmul(a, b)
          .sum()
          .add(c.mul(matmul(b.transpose(), a.transpose())).sum()),
      );
      const operands = [empty(2, 0), empty(0, 3), value([[1, 2]])] as const;
      const found = outside((a: Value, b: Value, c: Value) => grad(f, { argnums: [0, 1, 2] })(a, b, c))(...operands);
      expect(found.map((g) => [g.shape, g.toArray()])).toEqual([
        [
          [2, 0],
          [[], []],
        ],
        [[0, 3], []],
        [[1, 2], [[0, 0]]],
      ]);
    }
  });

  it("softmax with a masked entry has no NaN in its gradient", () => {
    for (const { inside, outside } of RUNNERS) {
      const f = inside((x: Value) => softmax(x, { axis: 0 }).mul([1, 2, 3]).sum());
      const g = outside((x: Value) => grad(f)(x))(value([-Infinity, 0, 1]));
      expect(Array.from<number>(g.data).every(Number.isFinite)).toBe(true);
    }
  });

  it.each(GUARDED)("an infinite cotangent makes no NaN where the derivative does not hold: %s", (_name, f, at, expected) => {
    for (const { inside, outside } of RUNNERS) {
      const pulled = outside((ct: Value, ...xs: Value[]) => autograd.vjp<Value[]>(inside(f), ...xs)[1](ct));
      expect(pulled(value(Infinity), ...at.map((x) => value(x))).map((g) => g.item())).toEqual(expected);
      expect(pulled(value([Infinity]), ...at.map((x) => value([x]))).map((g) => g.item())).toEqual(expected);
    }
  });
});

describe("dtypes, compiled, meet as documented", () => {
  type Binary = (x: Value, y: Value) => Value;
  const ops: readonly (readonly [string, Binary])[] = [
    ["add", autograd.add],
    ["mul", autograd.mul],
    ["div", autograd.div],
    ["lt", autograd.lt],
    ["maximum", autograd.maximum],
    ["where", (x, y) => autograd.where(value([1, 0, 1], { dtype: "bool" }), x, y)],
  ];

  describe.each(ops)("%s", (_op, f) => {
    it.each(PROMOTION)("of %s and %s is eager's, dtype and elements", (a, b) => {
      const [x, y] = [OPERANDS[a], OPERANDS[b]];
      // Values are arguments, numbers and literals stand in the function: as arguments they are float64.
      const isValue = [x, y].map((z) => z instanceof autograd.Value);
      const operands = [x, y].filter((_, k) => isValue[k]) as Value[];
      const call = (...xs: Value[]) => {
        const rest = [...xs];
        const [p, q] = [x, y].map((z, k) => (isValue[k] ? (rest.shift() as Value) : z)) as [Value, Value];
        return [f(p, q), f(q, p)];
      };
      expect(wrongElements(call, operands)).toEqual([]);
    });
  });

  it.each(RESULTS)("%s", (_name, f, operands, dtype) => {
    expect(compiled(f)(...operands).dtype).toBe(dtype);
    expect(wrongElements((...xs) => [f(...xs)], operands)).toEqual([]);
  });

  it.each([...TRANSCENDENTAL, ...INTEGRAL])("%s of int32, bool, float32 and scalars", (op) => {
    const operands = [array("int32"), array("bool"), array("float32"), value(3, { dtype: "int32" }), value(1, { dtype: "bool" }), value(2)];
    expect(wrongElements((...xs) => xs.map((x) => autograd[op](x)), operands)).toEqual([]);
  });

  it.each(["float32", "float64"] as const)("gradients have their operands' dtypes: %s beside the other", (dtype) => {
    const other = dtype === "float32" ? "float64" : "float32";
    const x = value([1.5, -2, 0.3], { dtype });
    const rows = value(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { dtype: other },
    ); // prettier-ignore
    for (const runner of RUNNERS) expect(wrongAgainstEager((p, q, s) => [p.mul(q).mul(s)], [x, rows, value(0.1)], runner)).toEqual([]);
  });

  it("int32 wraps around, and float32 sums are accumulated in double, as eagerly", () => {
    const big = value([2 ** 31 - 1, -(2 ** 31)], { dtype: "int32" });
    const call = (x: Value, y: Value) => [x.add(1), x.mul(3), x.neg(), x.sum(), x.abs(), y.sum(), y.sum({ axis: 0 }), y.mean()];
    expect(wrongElements(call, [big, value(Float32Array.of(2 ** 24, 1, 1, 1))])).toEqual([]);
  });
});

describe("forms, compiled", () => {
  it.each(METHODS)("the method %s", (_name, call) => {
    expect(
      wrongElements(
        (x) => [methodOf(x, call)],
        [
          value([
            [0.5, 1.5, 2.5],
            [3.5, 0.25, 1.25],
          ]),
        ],
      ),
    ).toEqual([]); // prettier-ignore
  });

  it.each(Object.keys(elementwise).filter((op) => op !== "where"))("%s of arrays of any length", (op) => {
    const f = elementwise[op]!;
    for (const length of isFull ? LENGTHS : LENGTHS.filter((n) => [1, 3, 257, 4097].includes(n))) {
      const operands = randomOperands(op, length);
      expect(wrongAgainstEager((...xs) => [f(...xs)], operands, ofCompiled, 1)).toEqual([]);
    }
  });
});

describe.each(NETWORKS)("%s, compiled", (_name, reference, network) => {
  const [parameters, inputs, cotangents] = [read(reference.parameters), read(reference.inputs), read(reference.cotangents)];
  const names = Object.keys(parameters);
  const primals = names.map((name) => parameters[name]!);
  const loss = (...xs: Value[]) => network(Object.fromEntries(names.map((name, k) => [name, xs[k]!])), inputs, cotangents).loss;

  it("has PyTorch's outputs and loss", () => {
    const { loss, outputs } = compiled(network)(parameters, inputs, cotangents);
    const wrongLoss = disagreement(loss.item(), reference.loss, 1e-13 * Math.max(1, Math.abs(reference.loss)));
    expect([wrongLoss, ...wrongArrays(outputs, reference.outputs)]).toEqual([null]);
  });

  it.each(RUNNERS)("has PyTorch's gradients: $name", ({ inside, outside }) => {
    const f = inside((p: Named) => network(p, inputs, cotangents).loss);
    const gradients = outside((p: Named) => autograd.valueAndGrad(f)(p)[1] as Named)(parameters);
    expect(wrongArrays(gradients, reference.gradients)).toEqual([]);
  });

  it("has PyTorch's gradients by backward(), params given or captured", () => {
    const leaves = Object.fromEntries(
      Object.entries(parameters).map(([name, x]) => [name, autograd.param(x.data.slice(), { shape: x.shape, name })]),
    );
    const gradients = () => Object.fromEntries(Object.entries(leaves).map(([name, leaf]) => [name, leaf.grad]));
    compiled((p: Named) => network(p, inputs, cotangents).loss)(leaves).backward();
    expect(wrongArrays(gradients(), reference.gradients)).toEqual([]);
    autograd.zeroGrad(leaves);
    compiled(() => network(leaves, inputs, cotangents).loss)().backward();
    expect(wrongArrays(gradients(), reference.gradients)).toEqual([]);
  });

  it.each(RUNNERS)("has its derivatives of both modes and orders: $name", (runner) => {
    expect(wrongAgainstEager((...xs) => [loss(...xs)], primals, runner, isFull || runner === ofCompiled ? 2 : 1)).toEqual([]);
    const directions = randomLike(primals, 31);
    const [, tangent] = runner.outside((...xs: Value[]) => autograd.jvp<Value[]>(runner.inside(loss), xs, directions))(...primals);
    const expected = inner(
      names.map((name) => constant(decodeArray(reference.gradients[name]!))),
      directions,
    );
    expect(disagreements("tangent", tangent, expected, 1e-13)).toEqual([]);
  });
});

describe("update rules, compiled, follow torch.optim for ten steps", () => {
  it.each(TRAJECTORIES)("%s, as a pure rule", (_name, reference: Trajectory) => {
    expect(wrongTrajectory(reference, (rule: UpdateRule<never>) => ({ ...rule, update: compiled(rule.update) }))).toEqual([]);
  });

  it("of a loss and its gradient, the whole step in one program", () => {
    for (const rule of [sgd({ learningRate: 0.1, momentum: 0.9 }), adam({ learningRate: 0.1 })] as UpdateRule<unknown>[]) {
      const step = (p: Named, state: unknown, target: Value) => {
        const [loss, g] = autograd.valueAndGrad((q: Named) => q["w"]!.sub(target).square().sum().add(q["b"]!.square()))(p);
        return [loss, ...rule.update(p, g as Named, state as never)] as const;
      };
      const fast = compiled(step);
      let ours: readonly [Named, unknown] = [
        { w: value([1, -2]), b: value(0.5) },
        rule.init({ w: value([1, -2]), b: value(0.5) } as never),
      ];
      let theirs = ours;
      for (let k = 0; k < 10; k++) {
        const target = value([k / 10, 1]);
        const [lossHere, ...here] = fast(...ours, target);
        const [lossThere, ...there] = step(...theirs, target);
        [ours, theirs] = [here as unknown as typeof ours, there as unknown as typeof ours];
        expect(disagreements("loss", lossHere, lossThere, 1e-14)).toEqual([]);
        for (const name of ["w", "b"]) expect(disagreements(name, ours[0][name]!, theirs[0][name]!, 1e-14)).toEqual([]);
      }
    }
  });
});
