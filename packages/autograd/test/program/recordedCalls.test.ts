import { describe, expect, test } from "vitest";
import { param, type Value, value } from "../../src/index.js";
import { compiled } from "./compiledRun.js";

describe("a call of a compiled function is one node of the graph", () => {
  test("whose 0-d operands are as weak as those of the operations in it", () => {
    const scaled = compiled((x: Value, s: Value) => x.mul(s));
    const s = param(2);
    const y = scaled(value([1, 2], { dtype: "float32" }), s);
    y.sum().backward();
    expect([y.dtype, y.toArray(), s.grad.item()]).toEqual(["float32", [2, 4], 3]);
  });
});
