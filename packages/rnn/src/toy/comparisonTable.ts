import type { GradientComparison, GradientMethod } from "./comparison.js";
import { PARAMETER_NAMES, type ToyGradient } from "./parameters.js";

const TITLES: Record<GradientMethod, string> = {
  tape: "tape (backward)",
  handwritten: "handwritten recurrence",
  forwardMode: "forward mode",
  complexStep: "complex step",
  closedForm: "closed form",
  finiteDifferences: "finite differences",
  published: "published recurrence (WRONG)",
};

/**
 * A comparison as plain text: a table of the gradients, a table of their absolute differences to the reference, and, where the published
 * recurrence takes part, a few lines on where it leads.
 *
 * @example console.log(formatComparison(compareGradients({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 }, [0.5, -1, 2], [-1, 2, 0.1])));
 */
export function formatComparison(comparison: GradientComparison): string {
  const { gradients, loss, published, reference, scale, steps } = comparison;
  const others = gradients.filter(({ method }) => method !== reference);
  const sections = [
    `Gradient of E = sum of (target - prediction)² over ${steps} time ${steps === 1 ? "step" : "steps"}; E = ${decimal(loss)}`,
    table(
      "gradient",
      gradients.map(({ method, gradient }) => row(TITLES[method], gradient, decimal)),
    ),
    table(`difference to ${TITLES[reference]}`, [
      ...others.map(({ method, difference }) => row(TITLES[method], difference, scientific)),
      row("scale: sum of absolute terms", scale, scientific),
    ]),
  ];
  if (published !== null) sections.push(publishedNote(published));
  return sections.join("\n\n");
}

function publishedNote({ cosine, step, change, uphill }: NonNullable<GradientComparison["published"]>): string {
  return [
    "The published recurrence leaves out the errors e_t: what it gives is the gradient of the sum of the predictions, not of E.",
    `Its cosine with the right gradient in (u, v, w) is ${cosine.toFixed(4)} (1 would be the same direction).`,
    `A step of ${step} against it ${uphill ? "RAISES" : "lowers"} E by ${Math.abs(change).toPrecision(4)}${uphill ? ": uphill." : "."}`,
  ].join("\n");
}

function row(title: string, gradient: ToyGradient, format: (x: number) => string): string[] {
  return [title, ...PARAMETER_NAMES.map((name) => format(gradient[name]))];
}

/** Titles to the left, numbers to the right, a rule under the head. */
function table(title: string, rows: readonly (readonly string[])[]): string {
  const head = [title, ...PARAMETER_NAMES.map((name) => `dE/d${name}`)];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => (cells[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ");
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

/** With its point below the points of the other rows, where the number is of ordinary size. */
function decimal(x: number): string {
  const size = Math.abs(x);
  return size === 0 || (size >= 1e-3 && size < 1e6) ? x.toFixed(12) : x.toExponential(9);
}

function scientific(x: number): string {
  return x === 0 ? "0" : x.toExponential(1);
}
