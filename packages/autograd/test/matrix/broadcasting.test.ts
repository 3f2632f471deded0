import { describe, expect, it } from "vitest";
import { logicalNot, value } from "../../src/index.js";
import {
  ARITHMETIC,
  CONDITIONS,
  PATTERNS,
  WHERE,
  wrongBroadcast,
  wrongCondition,
  wrongSpecialConditions,
  wrongWhere,
} from "./broadcastChecks.js";
import { isFull } from "./sampling.js";

const SEEDS = isFull ? [1, 2, 3, 4, 5] : [1];

describe.each(Object.keys(ARITHMETIC))("%s broadcasts as NumPy does, and its gradients are summed back to their operands' shapes", (op) => {
  it.each(PATTERNS)("%j with %j", (p, q, shape) => {
    for (const seed of SEEDS) expect(wrongBroadcast(op, [p, q, shape], seed)).toEqual([]);
  });
});

describe.each(Object.keys(CONDITIONS))("%s broadcasts as NumPy does", (op) => {
  it.each(PATTERNS)("%j with %j", (p, q, shape) => {
    expect(wrongCondition(op, [p, q, shape])).toEqual([]);
  });
});

describe("comparisons and logical functions at special points", () => {
  it.each(Object.keys(CONDITIONS))("%s is that of IEEE 754, and NaN counts as true", (op) => {
    expect(wrongSpecialConditions(op)).toEqual([]);
  });

  it("logicalNot", () => {
    expect(logicalNot(value([0, -0, 1, -1, Infinity, -Infinity, NaN])).toArray()).toEqual([1, 1, 0, 0, 0, 0, 0]);
  });
});

describe("where broadcasts three operands together", () => {
  it.each(WHERE)("%j, %j and %j", (pc, p, q, shape) => {
    expect(wrongWhere([pc, p, q, shape])).toEqual([]);
  });
});
