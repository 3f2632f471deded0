import { describe, expect, it } from "vitest";
import { type Value, value } from "../../src/index.js";
import { elementwise, type Function_, sampleOf } from "../matrix/calls.js";
import { MAPS } from "../matrix/maps.js";
import { POINTS, type Point, SMOOTH } from "../matrix/points.js";
import { structuralCases } from "../matrix/references.js";
import { isFull, sampled } from "../matrix/sampling.js";
import { single, wrongAgainstEager } from "./agreement.js";
import { both, RUNNERS } from "./compiledRun.js";

const DTYPES: readonly (readonly [string, (x: Value) => Value])[] = [
  ["float64", (x) => x],
  ["float32", single],
];

const OPS = [...new Set(POINTS.map(({ op }) => op))];
const listed =
  (f: Function_) =>
  (...xs: Value[]) => [f(...xs)];
const vector = value([0.4, -1.2, 1.7]);

describe.each(RUNNERS)("$name agree with eager ones", (runner) => {
  const every = runner === both ? 40 : 14;

  const isDue = (_name: string, k: number) => isFull || runner !== both || k % 8 === 0;

  describe.each(DTYPES)("in %s", (dtype, cast) => {
    // In float32, and where both are compiled, the first order: the second is that of float64 and of the others.
    const orders = isFull || (runner !== both && dtype === "float64") ? 2 : 1;
    it.each(OPS.filter(isDue))("%s of arrays", (op) => {
      const rows = POINTS.filter((p) => p.op === op);
      const operands = (rows[0] as Point).x.map((_, k) => cast(value(rows.map(({ x }) => x[k] as number))));
      expect(wrongAgainstEager(listed(elementwise[op] as Function_), operands, runner, orders)).toEqual([]);
    });

    it("where of arrays", () => {
      const condition = value([1, 0, 1], { dtype: "bool" });
      const f = (x: Value, y: Value) => [elementwise["where"]!(condition, x.mul(y), y.square().mul(x))];
      expect(wrongAgainstEager(f, [cast(vector), cast(value([1.4, 0.3, -0.6]))], runner)).toEqual([]);
    });

    it.each(Object.keys(MAPS).filter(isDue))("%s", (name) => {
      expect(wrongAgainstEager(listed(MAPS[name]!), [cast(vector)], runner, orders)).toEqual([]);
    });

    it.each(sampled(SMOOTH, every, ({ op }) => op))("$name, up to order 2", ({ call, operands }) => {
      expect(wrongAgainstEager(call, operands.map(cast), runner, orders)).toEqual([]);
    });

    it.each(sampled(structuralCases, every * (dtype === "float32" ? 2 : 1), ({ op }) => op))(
      "$name, with ties and infinities",
      (reference) => {
        const { call, operands } = sampleOf(reference);
        expect(wrongAgainstEager(call, operands.map(cast), runner, 1)).toEqual([]);
      },
    );
  });

  it.each(sampled(POINTS, every, ({ op }) => op))("$op of scalars, at $x", ({ op, x }) => {
    expect(
      wrongAgainstEager(
        listed(elementwise[op] as Function_),
        x.map((e) => value(e)),
        runner,
      ),
    ).toEqual([]);
  });

  it.each(OPS.filter((op) => POINTS.some((p) => p.op === op && p.x.length === 2)))("%s of an array and a scalar", (op) => {
    const f = listed(elementwise[op] as Function_);
    const positive = value([0.4, 1.2, 1.7]);
    expect(wrongAgainstEager(f, [positive, value(0.7)], runner)).toEqual([]);
    expect(wrongAgainstEager(f, [value(0.7), single(positive)], runner)).toEqual([]);
  });
});
