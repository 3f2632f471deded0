/** The comparison of gradients on the one-unit network, as a section of the page. */
import type { GradientComparison, GradientMethod } from "../toy/comparison.js";
import { PARAMETER_NAMES } from "../toy/parameters.js";
import { escapeHtml, table } from "./html.js";

const TITLES: Record<GradientMethod, string> = {
  tape: "backward() on the recorded graph",
  handwritten: "recurrence derived by hand",
  forwardMode: "forward mode",
  complexStep: "complex step",
  closedForm: "chain rule multiplied out",
  finiteDifferences: "finite differences (approximate)",
  published: "published recurrence (wrong)",
};

export function comparisonSection(comparison: GradientComparison): string {
  const { gradients, loss, parameters, published, reference, steps } = comparison;
  const rows = gradients.map(({ method, gradient, difference }) => [
    TITLES[method],
    ...PARAMETER_NAMES.map((name) => gradient[name].toFixed(12)),
    method === reference ? "–" : scientific(Math.max(...PARAMETER_NAMES.map((name) => difference[name]))),
  ]);
  const classes = gradients.map(({ method }) => (method === "published" ? "wrong" : ""));
  const values = PARAMETER_NAMES.map((name) => `${name} = ${parameters[name]}`).join(", ");
  return `<section><h2>The gradient, checked</h2>
<p>Training follows a gradient, so the gradient had better be right. Before the forecast the demo computes one gradient in several ways that
know nothing of each other, on the smallest recurrent network there is: one hidden unit, y<sub>t</sub> = sigmoid(w y<sub>t−1</sub> + v x<sub>t</sub>)
from y<sub>0</sub> = s, prediction p<sub>t</sub> = u y<sub>t</sub>, and E the sum of squared errors over ${steps} time steps, at ${escapeHtml(values)}
(E = ${loss.toPrecision(8)}). All exact ways agree to the last digits that rounding leaves.</p>
${table(["how", ...PARAMETER_NAMES.map((name) => `dE/d${name}`), "largest difference to the first"], rows, classes)}
${published === null ? "" : publishedNote(published)}</section>`;
}

function publishedNote({ cosine, step, change, uphill }: NonNullable<GradientComparison["published"]>): string {
  const effect = uphill ? `raises E by ${change.toPrecision(4)}: uphill` : `lowers E by ${Math.abs(change).toPrecision(4)}`;
  return `<p>The last row is the recurrence as it was once published. It leaves out the errors of the predictions, so it is the gradient of
another function (the sum of the predictions): its cosine with the right gradient in (u, v, w) is ${cosine.toFixed(4)}, where 1 would be the
same direction, and a step of ${step} against it ${effect}. It is here only to be compared.</p>`;
}

function scientific(x: number): string {
  return x === 0 ? "0" : x.toExponential(1);
}
