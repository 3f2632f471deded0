import { describe, expect, it } from "vitest";
import { compareGradients, formatComparison } from "../../src/index.js";
import { EXAMPLE } from "./references.js";

describe("formatComparison", () => {
  const compare = (options = {}) => compareGradients(EXAMPLE.parameters, EXAMPLE.inputs, EXAMPLE.targets, options);
  const text = formatComparison(compare());
  const lines = text.split("\n");

  it("shows the gradient by every method, side by side", () => {
    expect(lineOf("tape (backward)")).toMatch(/-0\.44776264459\d+ +0\.73990629579\d+ +-0\.03112572155\d+ +0\.46806294256\d+$/);
    expect(lineOf("handwritten recurrence")).toMatch(/-0\.44776264459\d+ +0\.73990629579\d+ +-0\.03112572155\d+ +0\.46806294256\d+$/);
    expect(lineOf("published recurrence (WRONG)")).toMatch(/1\.82285028318\d+ +0\.28847763854\d+ +0\.28027730927\d+ +0\.29996243750\d+$/);
  });

  it("shows the differences to the tape, on the scale of the absolute terms", () => {
    const second = lines.slice(lines.findIndex((line) => line.startsWith("difference to tape (backward)")));
    expect(second.find((line) => line.startsWith("published"))).toMatch(/2\.3e\+0 +4\.5e-1 +3\.1e-1 +1\.7e-1$/);
    expect(second.find((line) => line.startsWith("scale: sum of absolute terms"))).toBeDefined();
    expect(second.some((line) => line.startsWith("tape"))).toBe(false);
  });

  it("says how far off the published recurrence is", () => {
    expect(text).toContain("cosine with the right gradient in (u, v, w) is -0.3785");
    expect(text).toContain("A step of 0.01 against it RAISES E by 0.006577: uphill.");
  });

  it("aligns its columns", () => {
    const tables = text.split("\n\n").slice(1, 3);
    for (const table of tables) expect(new Set(table.split("\n").map((line) => line.length)).size).toBe(1);
  });

  it("puts the points of a column below each other", () => {
    const rows = text.split("\n\n")[1]!.split("\n").slice(2);
    expect(new Set(rows.map((line) => line.lastIndexOf("."))).size).toBe(1);
  });

  it("keeps the digits of a derivative that is tiny or huge", () => {
    const tiny = formatComparison(compareGradients({ u: 1e-9, v: 0, w: 1, s: 0 }, [1], [1], { methods: ["handwritten"] }));
    expect(tiny).toMatch(/-4\.99999999\de-10/);
    const huge = formatComparison(compareGradients({ u: 1e9, v: 0, w: 1, s: 0 }, [1], [0], { methods: ["handwritten"] }));
    expect(huge).toContain("2.500000000e+17");
  });

  it("leaves out what was not compared", () => {
    const short = formatComparison(compare({ methods: ["tape", "handwritten"] }));
    expect(short).not.toContain("published");
    expect(short).not.toContain("closed form");
  });

  it("says lowers where the published recurrence happens to go down", () => {
    const down = formatComparison(compareGradients(EXAMPLE.parameters, EXAMPLE.inputs, [-5, -5, -5]));
    expect(down).toMatch(/against it lowers E by \S+\d\.$/);
  });

  function lineOf(title: string): string {
    return lines.find((line) => line.startsWith(title)) ?? "";
  }
});
