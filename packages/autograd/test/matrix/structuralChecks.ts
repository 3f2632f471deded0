import { hvp, type Value, vjp } from "../../src/index.js";
import { disagreements } from "./agreement.js";
import { sampleOf } from "./calls.js";
import { inner } from "./derivatives.js";
import { constant, isFloating, type ReferenceArray, type StructuralCase } from "./references.js";
import { eager, type Runner } from "./runners.js";

/** The error of a sum is measured against its terms, of which the operands are the smallest. */
function scaleOf({ operands }: StructuralCase): number {
  return Math.max(1, ...operands.flatMap(({ data }) => data.filter(Number.isFinite).map(Math.abs)));
}

export function wrongOutputs(reference: StructuralCase, { inside, outside } = eager): string[] {
  const { call, operands } = sampleOf(reference);
  const outputs = outside(inside(call))(...operands);
  const dtypes = outputs.map(({ dtype }) => dtype);
  const expected = reference.outputs.map(({ dtype }) => dtype);
  if (dtypes.join() !== expected.join()) return [`expected outputs of ${expected.join()}, got ${dtypes.join()}`];
  return outputs.flatMap((out, k) =>
    disagreements(`output ${k}`, out, reference.outputs[k] as ReferenceArray, undefined, scaleOf(reference)),
  );
}

/** Several outputs are weighted and added up; one output takes its cotangent through vjp. */
function gradientsOf(reference: StructuralCase, { inside, outside }: Runner): readonly Value[] {
  const { call, operands } = sampleOf(reference);
  const cotangents = reference.cotangents.filter((c) => c !== null).map(constant);
  const floating = (...xs: Value[]) => call(...xs).filter(isFloating);
  const f = inside(
    cotangents.length === 1 ? (...xs: Value[]) => floating(...xs)[0] as Value : (...xs: Value[]) => inner(floating(...xs), cotangents),
  );
  const seed = cotangents.length === 1 ? (cotangents[0] as Value) : 1;
  return outside((...xs: Value[]) => vjp(f, ...xs)[1](seed))(...operands);
}

export function wrongGradients(reference: StructuralCase, runner = eager): string[] {
  return gradientsOf(reference, runner).flatMap((g, k) =>
    disagreements(`gradient ${k}`, g, reference.gradients[k] as ReferenceArray, undefined, scaleOf(reference)),
  );
}

export function wrongProducts(reference: StructuralCase, { inside, outside } = eager): string[] {
  const { call, operands } = sampleOf(reference);
  const cotangents = reference.cotangents.filter((c) => c !== null).map(constant);
  const loss = inside((...xs: Value[]) =>
    inner(
      call(...xs)
        .filter(isFloating)
        .map((y) => y.square()),
      cotangents,
    ),
  );
  const product = outside((xs: readonly Value[], vectors: readonly Value[]) => hvp(loss, xs, vectors));
  const products = product(operands, (reference.vectors ?? []).map(constant));
  return products.flatMap((p, k) =>
    disagreements(`product ${k}`, p, reference.products?.[k] as ReferenceArray, undefined, scaleOf(reference)),
  );
}
