import { describe, expect, test } from "vitest";
import { gauge } from "../src/gauge.js";
import { leastDisturbed } from "../src/processes.js";

describe("a process during which the processor was slow", () => {
  const ending =
    (...gauges: readonly number[]) =>
    () => {
      const next = gauges[calls++]!;
      return Promise.resolve({ content: `with ${next}`, gauge: next });
    };
  let calls = 0;
  const from = async (fastest: number, ...gauges: readonly number[]) => {
    calls = 0;
    return leastDisturbed(ending(...gauges), fastest);
  };

  test("is run again until it was not", async () => {
    expect(await from(1, 1.29)).toEqual({ content: "with 1.29", fastest: 1, again: 0, isDisturbed: false });
    expect(await from(1, 2, 1.9, 1.1)).toEqual({ content: "with 1.1", fastest: 1, again: 2, isDisturbed: false });
  });

  test("counts at its least disturbed after three more attempts", async () => {
    expect(await from(1, 2, 1.5, 1.9, 3, 1)).toEqual({ content: "with 1.5", fastest: 1, again: 3, isDisturbed: true });
    expect(calls).toBe(4);
  });

  test("tells where it was quicker than any before", async () => {
    expect(await from(1, 0.5)).toEqual({ content: "with 0.5", fastest: 0.5, again: 0, isDisturbed: false });
  });

  test("the gauge takes some time", () => {
    expect(gauge()).toBeGreaterThan(0);
  });
});
