import { describe, expect, it } from "vitest";
import { grad, hvp, jvp, noGrad, param, type Param, type Value } from "../../src/index.js";
import { disagreement, disagreements } from "./agreement.js";
import { along, gradientsOf, inner, randomLike } from "./derivatives.js";
import { type Named, NETWORKS, read, wrongArrays } from "./networks.js";
import { constant, decodeArray } from "./references.js";

describe.each(NETWORKS)("%s", (_name, reference, network) => {
  const [parameters, inputs, cotangents] = [read(reference.parameters), read(reference.inputs), read(reference.cotangents)];
  const wrongLoss = (loss: number) => disagreement(loss, reference.loss, 1e-13 * Math.max(1, Math.abs(reference.loss)));

  it("has PyTorch's outputs and loss", () => {
    const { loss, outputs } = network(parameters, inputs, cotangents);
    expect([wrongLoss(loss.item()), ...wrongArrays(outputs, reference.outputs)]).toEqual([null]);
  });

  it("has PyTorch's gradients by backward()", () => {
    const leaves: Named<Param> = Object.fromEntries(
      Object.entries(parameters).map(([name, x]) => [name, param(x.data.slice(), { shape: x.shape, name })]),
    );
    network(leaves, inputs, cotangents).loss.backward();
    const gradients = Object.fromEntries(Object.entries(leaves).map(([name, leaf]) => [name, leaf.grad]));
    expect(wrongArrays(gradients, reference.gradients)).toEqual([]);
  });

  it("has PyTorch's gradients by grad() over a tree", () => {
    const gradients = grad((p: Named) => network(p, inputs, cotangents).loss)(parameters) as unknown as Named;
    expect(wrongArrays(gradients, reference.gradients)).toEqual([]);
  });

  it("has the same derivative along a direction in forward mode", () => {
    const names = Object.keys(parameters);
    const primals = names.map((name) => parameters[name]!);
    const directions = randomLike(primals, 31);
    const loss = (...xs: Value[]) => network(Object.fromEntries(names.map((name, k) => [name, xs[k]!])), inputs, cotangents).loss;
    const [, tangent] = jvp(loss as never, primals as never, directions as never);
    const expected = inner(
      names.map((name) => constant(decodeArray(reference.gradients[name]!))),
      directions,
    ).item();
    expect(disagreement(tangent.item(), expected, 1e-13 * Math.max(1, Math.abs(expected)))).toBeNull();
  });

  it("has one Hessian-vector product by hvp and by differentiating the derivative along the vector", () => {
    const names = Object.keys(parameters);
    const primals = names.map((name) => parameters[name]!);
    const directions = randomLike(primals, 32);
    const loss = (...xs: Value[]) => network(Object.fromEntries(names.map((name, k) => [name, xs[k]!])), inputs, cotangents).loss;
    const products = hvp(loss as never, primals as never, directions as never) as unknown as Value[];
    const twice = gradientsOf(along(loss, directions, "reverse"), primals);
    expect(products.flatMap((p, k) => disagreements(names[k]!, p, twice[k]!, 1e-12))).toEqual([]);
  });

  it("computes the same without recording", () => {
    const leaves = Object.fromEntries(Object.entries(parameters).map(([name, x]) => [name, param(x.data.slice(), { shape: x.shape })]));
    const { loss } = noGrad(() => network(leaves, inputs, cotangents));
    expect([wrongLoss(loss.item()), loss.requiresGrad]).toEqual([null, false]);
  });
});
