import { hvp, type Value, vjp } from "../../src/index.js";
import { disagreements } from "./agreement.js";
import { sampleOf } from "./calls.js";
import { inner } from "./derivatives.js";
import { constant, isFloating, type ReferenceArray, type StructuralCase } from "./references.js";

/** The error of a sum is measured against its terms, of which the operands are the smallest. */
function scaleOf({ operands }: StructuralCase): number {
  return Math.max(1, ...operands.flatMap(({ data }) => data.filter(Number.isFinite).map(Math.abs)));
}

export function wrongOutputs(reference: StructuralCase): string[] {
  const { call, operands } = sampleOf(reference);
  const outputs = call(...operands);
  const dtypes = outputs.map(({ dtype }) => dtype);
  const expected = reference.outputs.map(({ dtype }) => dtype);
  if (dtypes.join() !== expected.join()) return [`expected outputs of ${expected.join()}, got ${dtypes.join()}`];
  return outputs.flatMap((out, k) =>
    disagreements(`output ${k}`, out, reference.outputs[k] as ReferenceArray, undefined, scaleOf(reference)),
  );
}

/** Several outputs are weighted and added up; one output takes its cotangent through vjp. */
function gradientsOf(reference: StructuralCase): readonly Value[] {
  const { call, operands } = sampleOf(reference);
  const cotangents = reference.cotangents.filter((c) => c !== null).map(constant);
  const floating = (...xs: Value[]) => call(...xs).filter(isFloating);
  if (cotangents.length === 1) {
    const [, pullback] = vjp((...xs: Value[]) => floating(...xs)[0] as Value, ...operands);
    return pullback(cotangents[0] as Value);
  }
  const [, pullback] = vjp((...xs: Value[]) => inner(floating(...xs), cotangents), ...operands);
  return pullback(1);
}

export function wrongGradients(reference: StructuralCase): string[] {
  return gradientsOf(reference).flatMap((g, k) =>
    disagreements(`gradient ${k}`, g, reference.gradients[k] as ReferenceArray, undefined, scaleOf(reference)),
  );
}

export function wrongProducts(reference: StructuralCase): string[] {
  const { call, operands } = sampleOf(reference);
  const cotangents = reference.cotangents.filter((c) => c !== null).map(constant);
  const loss = (...xs: Value[]) =>
    inner(
      call(...xs)
        .filter(isFloating)
        .map((y) => y.square()),
      cotangents,
    );
  const products = hvp(loss as never, [...operands] as never, (reference.vectors ?? []).map(constant) as never) as unknown as Value[];
  return products.flatMap((p, k) =>
    disagreements(`product ${k}`, p, reference.products?.[k] as ReferenceArray, undefined, scaleOf(reference)),
  );
}
