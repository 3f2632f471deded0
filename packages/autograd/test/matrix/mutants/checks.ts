import { value } from "../../../src/index.js";
import { elementwise } from "../calls.js";
import { type Mode, type Scalar, squaredSum, wrongDerivatives } from "../derivatives.js";
import { FORMS, wrongPartials, wrongValues } from "../elementwiseChecks.js";
import { POINTS, SMOOTH } from "../points.js";
import { elementwiseCases, structuralCases } from "../references.js";
import { wrongGradients, wrongOutputs, wrongProducts } from "../structuralChecks.js";

type Check = () => readonly string[];

/** What one operation is checked by, by name: comparisons with the references, and differences in both modes. */
function checksOf(op: string): Record<string, Check> {
  const elementwiseReferences = elementwiseCases.filter((reference) => reference.op === op);
  const points = POINTS.filter((point) => point.op === op);
  const structuralReferences = structuralCases.filter((reference) => reference.op === op);
  const samples = SMOOTH.filter((sample) => sample.op === op);
  const differences =
    (mode: Mode): Check =>
    () => [
      ...points.flatMap(({ x, radius }) =>
        wrongDerivatives({ f: elementwise[op] as Scalar, operands: x.map((e) => value(e)), orders: 2, mode, radius }),
      ),
      ...samples.flatMap(({ call, operands }) => wrongDerivatives({ f: squaredSum(call, 3), operands, orders: 2, mode })),
    ];
  return {
    ...Object.fromEntries(
      FORMS.map((form) => [
        `reference, ${form}`,
        () => elementwiseReferences.flatMap((reference) => [...wrongValues(reference, form), ...wrongPartials(reference, form)]),
      ]),
    ),
    "reference, outputs": () => structuralReferences.flatMap((reference) => wrongOutputs(reference)),
    "reference, gradients": () => structuralReferences.flatMap((reference) => wrongGradients(reference)),
    "reference, products": () =>
      structuralReferences.filter(({ vectors }) => vectors !== undefined).flatMap((reference) => wrongProducts(reference)),
    "differences, reverse": differences("reverse"),
    "differences, forward": differences("forward"),
  };
}

/** What the checks of an operation find, the first finding of each; a check that throws has found something, too. */
export function findings(op: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, check] of Object.entries(checksOf(op))) {
    const [first] = run(check);
    if (first !== undefined) found[name] = first;
  }
  return found;
}

function run(check: Check): readonly string[] {
  try {
    return check();
  } catch (error) {
    return [String(error)];
  }
}
