import { InputError } from "@unroll/autograd";
import { describe, expect, it } from "vitest";
import { nextElementPairs } from "../../src/index.js";

describe("nextElementPairs", () => {
  it("makes N - 1 pairs of N elements: the last input has no target", () => {
    expect(nextElementPairs([1, 2, 4, 8])).toEqual({ inputs: [1, 2, 4], targets: [2, 4, 8] });
  });

  it("makes one pair of two elements, also of a typed array", () => {
    expect(nextElementPairs(Float64Array.of(3, 5))).toEqual({ inputs: [3], targets: [5] });
  });

  it.each([[[]], [[1]]])("refuses %j, which has nothing to predict", (sequence) => {
    expect(() => nextElementPairs(sequence)).toThrow(InputError);
    expect(() => nextElementPairs(sequence)).toThrow(`at least 2 elements (one to see, one to predict), got ${sequence.length}`);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %f and says where it is", (element) => {
    expect(() => nextElementPairs([1, 2, element])).toThrow(InputError);
    expect(() => nextElementPairs([1, 2, element])).toThrow(`sequence[2] is ${element}`);
  });
});
