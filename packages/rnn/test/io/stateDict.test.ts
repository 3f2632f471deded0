import { InputError, param, ShapeError, type Value, value } from "@unroll/autograd";
import { describe, expect, test } from "vitest";
import { loadStateDict } from "../../src/io/loadStateDict.js";
import { flattenTree, unflattenTree } from "../../src/io/tree.js";

const tree = () => ({ layers: [{ w: value([1, 2]) }, { w: value([[3]]), b: undefined }], head: { scale: value(4) } });

describe("trees and dotted names", () => {
  test("a tree comes back from its names", () => {
    const flat = flattenTree(tree());
    expect([...flat.keys()]).toEqual(["layers.0.w", "layers.1.w", "head.scale"]);
    expect(JSON.parse(JSON.stringify(unflattenTree(flat), numbers))).toEqual({ layers: [{ w: [1, 2] }, { w: [[3]] }], head: { scale: 4 } });
  });

  test("with a pattern the structure is the pattern's", () => {
    const back = unflattenTree(new Map([...flattenTree(tree())].reverse()), { layers: [{ w: [0, 0] }, { w: [[0]] }], head: { scale: 0 } });
    expect(back.layers[1]?.w.toArray()).toEqual([[3]]);
    expect(back.head.scale.item()).toBe(4);
  });

  test("only 0, 1, … n - 1 spell an array", () => {
    expect(Array.isArray(unflattenTree({ "1": 1, "0": 0 }))).toBe(true);
    expect(Array.isArray(unflattenTree({ "1": 1, "2": 0 }))).toBe(false);
    expect(Array.isArray(unflattenTree({ "0": 1, "01": 0 }))).toBe(false);
  });

  test("names that objects inherit are plain names", () => {
    const spelled = unflattenTree(
      new Map([
        ["__proto__.polluted", value(1)],
        ["constructor", value(2)],
      ]),
    ) as Record<string, unknown>;
    expect(Object.keys(spelled)).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(spelled)).toBe(Object.prototype);
  });

  test.for<[string, () => unknown, string]>([
    ["a value beside a node of its name", () => unflattenTree({ a: 1, "a.b": 2 }), "contradict"],
    ["a node beside a value of its name", () => unflattenTree({ "a.b": 1, a: 2 }), "contradict"],
    ["a name of 100,000 levels", () => unflattenTree({ [".".repeat(100_000)]: 1 }), "deeper than 100"],
    ["two leaves of one name", () => flattenTree({ "a.b": 1, a: { b: 2 } }), 'two leaves are called "a.b"'],
    ["a bare leaf", () => flattenTree(value(1)), "has no name"],
    ["a text", () => flattenTree({ a: { b: "x" } }), "is a string"],
    ["a dict that is a value", () => unflattenTree(value(1) as never), "expected values by name"],
    ["an entry that is no value", () => unflattenTree({ a: null } as never), '"a" is null'],
  ])("refuses %s", ([, call, message]) => {
    expect(call).toThrow(InputError);
    expect(call).toThrow(message);
  });
});

describe("loadStateDict", () => {
  const params = () => ({ cell: { weight: param([[1, 2]]), bias: param(Float32Array.of(3)) }, scale: param(4) });
  const snapshot = (of: ReturnType<typeof params>) => [of.cell.weight.toArray(), of.cell.bias.toArray(), of.scale.item()];
  const good = { "cell.weight": [[5, 6]], "cell.bias": [0.1], scale: 8 };

  test("sets every param, in its own dtype", () => {
    const into = params();
    loadStateDict(into, good);
    expect(snapshot(into)).toEqual([[[5, 6]], [Math.fround(0.1)], 8]);
    expect(into.cell.bias.dtype).toBe("float32");
  });

  test("does not hold on to a graph", () => {
    const into = params();
    loadStateDict(into, { ...good, scale: param(3).square() });
    expect([into.scale.requiresGrad, into.scale.item()]).toEqual([true, 9]);
    into.scale.square().backward();
    expect(into.scale.grad.item()).toBe(18);
  });

  test.for<[string, Record<string, unknown>, typeof InputError | typeof ShapeError, RegExp]>([
    ["a missing name", { "cell.weight": [[5, 6]], scale: 8 }, InputError, /missing: "cell\.bias"/],
    ["an unexpected name", { ...good, extra: 1 }, InputError, /unexpected: "extra"/],
    ["another shape", { ...good, "cell.weight": [5, 6] }, ShapeError, /of another shape: "cell\.weight" is \[2\], expected \[1, 2\]/],
    ["the last one misshapen", { ...good, scale: [8] }, ShapeError, /"scale" is \[1\], expected \[\]/],
    ["a name that objects inherit", { ...good, toString: 1 }, InputError, /unexpected: "toString"/],
    ["integers", { ...good, "cell.bias": Int32Array.of(1) }, InputError, /"cell\.bias" is int32/],
    [
      "several faults",
      { "cell.bias": [1, 2], x: 1 },
      InputError,
      /missing: "cell\.weight", "scale"; unexpected: "x"; of another shape: "cell\.bias"/,
    ],
  ])("loads nothing for %s, and says which", ([, dict, error, message]) => {
    const into = params();
    const before = snapshot(into);
    expect(() => loadStateDict(into, dict as Record<string, Value>)).toThrow(error);
    expect(() => loadStateDict(into, dict as Record<string, Value>)).toThrow(message);
    expect(snapshot(into)).toEqual(before);
  });

  test("refuses leaves that are no params", () => {
    expect(() => loadStateDict({ a: value(1) }, { a: 2 })).toThrow(/"a" is no param/);
  });
});

function numbers(_key: string, x: unknown): unknown {
  return typeof x === "object" && x !== null && "toArray" in x ? (x as Value).toArray() : x;
}
