import { describe, expect, it } from "vitest";
import { customOp, jvp, mul, type Value, value } from "../../src/index.js";
import { disagreement } from "./agreement.js";
import { elementwise, type Function_, type Sample } from "./calls.js";
import { along, gradientsOf, inner, type Mode, randomLike, type Scalar, squaredSum, wrongDerivatives } from "./derivatives.js";
import { POINTS, type Point, SMOOTH } from "./points.js";
import { isFloating } from "./references.js";
import { sampled } from "./sampling.js";

const MODES: readonly Mode[] = ["reverse", "forward"];

/** Every derivative of every elementwise function, orders 1 to 3: of scalars, and of the points of an op at once as one array. */
describe.each(MODES)("derivatives of elementwise functions, %s mode", (mode) => {
  it.each(sampled(POINTS, 2, ({ op }) => op))("$op at $x agrees with differences up to order 3", ({ op, x, radius }) => {
    const check = { f: elementwise[op] as Scalar, operands: x.map((e) => value(e)), orders: 3, mode, radius };
    expect(wrongDerivatives(check)).toEqual([]);
  });

  it.each([...new Set(POINTS.map(({ op }) => op))])("%s of arrays agrees with differences up to order 3", (op) => {
    const rows = POINTS.filter((p) => p.op === op);
    const operands = (rows[0] as Point).x.map((_, k) => value(rows.map(({ x }) => x[k] as number)));
    const f: Scalar = (...xs) => inner([(elementwise[op] as Function_)(...xs)], randomLike([xs[0] as Value], 5));
    expect(wrongDerivatives({ f, operands, orders: 3, mode, radius: Math.min(...rows.map(({ radius }) => radius)) })).toEqual([]);
  });

  it("where agrees with differences up to order 3", () => {
    const f: Scalar = (x, y) => inner([elementwise["where"]!(value([1, 0, 1]), mul(x, y), y.square().mul(x))], [value([0.7, -1.2, 0.4])]);
    expect(wrongDerivatives({ f, operands: [value([0.5, -1.1, 2]), value([1.4, 0.3, -0.6])], orders: 3, mode })).toEqual([]);
  });

  it.each([-2, -1, 0, 1, 2, 3])("pow(x, %i) has derivatives up to order 3 where x < 0", (exponent) => {
    expect(
      wrongDerivatives({ f: (x) => elementwise["pow"]!(x, value(exponent)), operands: [value(-0.8)], orders: 3, mode, radius: 0.8 }),
    ).toEqual([]);
  });
});

describe.each(MODES)("derivatives of structural operations, %s mode", (mode) => {
  it.each(sampled(SMOOTH, 4, ({ op }) => op))("$name agrees with differences up to order 2", ({ call, operands }: Sample) => {
    expect(wrongDerivatives({ f: squaredSum(call, 3), operands, orders: 2, mode })).toEqual([]);
  });
});

/** An operation of the user's gives its vjp alone: forward mode and every further order come from it. */
describe.each(MODES)("derivatives of a custom operation, %s mode", (mode) => {
  const scaledSquare = customOp({
    name: "scaledSquare",
    forward: (x, y) => x.square().mul(y),
    vjp: (ct, [x, y]) => [ct.mul(x!).mul(y!).mul(2), ct.mul(x!.square())],
  });

  it.each([
    ["scalars", [value(0.7), value(-1.3)]],
    ["arrays", [value([0.7, -1.1]), value([-1.3, 0.4])]],
  ])("of %s agree with differences up to order 3", (_name, operands) => {
    const f: Scalar = (...xs) => inner([scaledSquare(...xs)], randomLike([operands[0]!], 4));
    expect(wrongDerivatives({ f, operands, orders: 3, mode })).toEqual([]);
  });
});

describe("mixed modes", () => {
  const orders: readonly (readonly Mode[])[] = [
    ["reverse", "reverse"],
    ["reverse", "forward"],
    ["forward", "reverse"],
    ["forward", "forward"],
  ];

  it.each(sampled(SMOOTH, 4, ({ op }) => op))("$name: all four pairs of modes give one third derivative", ({ call, operands }: Sample) => {
    const directions = [randomLike(operands, 21), randomLike(operands, 22)];
    const gradients = orders.map((modes) => {
      const second = modes.reduce<Scalar>((f, mode, k) => along(f, directions[k] as Value[], mode), squaredSum(call, 3));
      return gradientsOf(second, operands).flatMap((g) => Array.from(g.data));
    });
    const [expected = [], ...others] = gradients;
    const allowed = 1e-12 * Math.max(1, ...expected.map(Math.abs));
    const wrong = others.flatMap((got, m) =>
      got
        .map((x, k) => disagreement(x, expected[k] as number, allowed))
        .filter((w) => w !== null)
        .map((w) => `${orders[m + 1]!.join(" of ")}: ${w}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("float32", () => {
  const single = (x: Value) => value(Float32Array.from(x.data), { shape: x.shape });
  const double = (x: Value) => value(Float64Array.from(x.data), { shape: x.shape });

  it.each(SMOOTH)("$name: the float64 derivative, rounded", ({ call, operands }: Sample) => {
    const narrow = operands.map(single);
    const loss: Scalar = (...xs) => {
      const outputs = call(...xs).filter(isFloating);
      return inner(
        outputs,
        randomLike(outputs, 9).map((c, k) => (outputs[k]!.dtype === "float32" ? single(c) : c)),
      );
    };
    const expected = gradientsOf(loss, narrow.map(double));
    gradientsOf(loss, narrow).forEach((got, k) => {
      expect(got.dtype).toBe(narrow[k]!.dtype);
      const exact = Array.from(expected[k]!.data);
      const allowed = 16 * 2 ** -23 * Math.max(1, ...exact.map(Math.abs));
      expect(exact.map((x, j) => disagreement(got.data[j] as number, x, allowed)).filter((w) => w !== null)).toEqual([]);
    });
  });

  it.each(SMOOTH)("$name: the float64 tangent, rounded", ({ call, operands }: Sample) => {
    const narrow = operands.map(single);
    const directions = randomLike(narrow, 12);
    const floating = (...xs: Value[]) => call(...xs).filter(isFloating);
    const tangents = (primals: Value[], along_: Value[]) =>
      (jvp(floating as never, primals as never, along_ as never) as unknown as Value[][])[1]!;
    const expected = tangents(narrow.map(double), directions.map(single).map(double));
    tangents(narrow, directions.map(single)).forEach((got, k) => {
      expect(got.dtype).toBe(floating(...narrow)[k]!.dtype);
      const exact = Array.from(expected[k]!.data);
      const allowed = 16 * 2 ** -23 * Math.max(1, ...exact.map(Math.abs));
      expect(exact.map((x, j) => disagreement(got.data[j]!, x, allowed)).filter((w) => w !== null)).toEqual([]);
    });
  });
});
