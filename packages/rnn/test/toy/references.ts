import { forEachParameter, type ParameterName, type ToyGradient, type ToyParameters } from "../../src/toy/parameters.js";
import file from "../references/toy.json" with { type: "json" };
import { sumOfAbsolute } from "./agreement.js";

/** One network and sequence with its derivatives in 50-digit arithmetic, rounded to doubles. */
export interface ReferenceCase {
  readonly name: string;
  readonly parameters: ToyParameters;
  readonly inputs: readonly number[];
  readonly targets: readonly number[];
  readonly loss: number;
  readonly gradient: ToyGradient;
  readonly deltas: readonly number[];
  /** By parameter, what its use in each time step adds. */
  readonly shares: Readonly<Record<Exclude<ParameterName, "s">, readonly number[]>>;
  /** The sums of the absolute shares; `s` is used once. */
  readonly scale: ToyGradient;
  readonly published: {
    readonly gradient: ToyGradient;
    readonly deltas: readonly number[];
    readonly cosine: number;
    readonly changeOfLoss: number;
  };
}

export const REFERENCE_CASES: readonly ReferenceCase[] = file.cases.map((found) => {
  const gradient = forEachParameter((name) => Number(found.gradient[name]));
  const shares = { u: found.shares.u.map(Number), v: found.shares.v.map(Number), w: found.shares.w.map(Number) };
  const { published } = found;
  return {
    ...found,
    gradient,
    shares,
    loss: Number(found.loss),
    deltas: found.deltas.map(Number),
    scale: { u: sumOfAbsolute(shares.u), v: sumOfAbsolute(shares.v), w: sumOfAbsolute(shares.w), s: Math.abs(gradient.s) },
    published: {
      gradient: forEachParameter((name) => Number(published.gradient[name])),
      deltas: published.deltas.map(Number),
      cosine: Number(published.cosine),
      changeOfLoss: Number(published.changeOfLoss),
    },
  };
});

/** u = 0.7, v = -0.4, w = 1.3, s = 0.25; x = (0.5, -1, 2); t = (-1, 2, 0.1). */
export const EXAMPLE = REFERENCE_CASES[0]!;
