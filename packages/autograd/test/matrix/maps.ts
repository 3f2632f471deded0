import * as autograd from "../../src/index.js";
import { type Value, value } from "../../src/index.js";

export const N = 3;
export type Map_ = (x: Value) => Value;

/** Smooth maps of [3] to [3] whose values stay moderate, so that compositions of them do. */
export const MAPS: Readonly<Record<string, Map_>> = {
  "sin(2x)": (x) => x.mul(2).sin(),
  "tanh x": (x) => x.tanh(),
  "sigmoid x": (x) => x.sigmoid(),
  "softplus x / 2": (x) => x.softplus().div(2),
  "x / (1 + x^2)": (x) => x.div(x.square().add(1)),
  "exp(-x^2)": (x) => x.square().neg().exp(),
  "log(1 + x^2)": (x) => autograd.log1p(x.square()),
  "sqrt(1 + x^2)": (x) => x.square().add(1).sqrt(),
  "x - mean x": (x) => x.sub(x.mean()),
  "softmax x": (x) => autograd.softmax(x, { axis: 0 }),
  "x + prod tanh x": (x) => x.add(x.tanh().prod()),
  "x reversed, times x": (x) => x.slice([null, null, -1]).mul(x).tanh(),
  "x of a fixed order": (x) => autograd.gather(x, value([2, 0, 0], { dtype: "int32" }), { axis: 0 }).add(x),
  "M x": (x) =>
    autograd.matmul(
      value([
        [0.5, -1, 0.25],
        [1, 0.5, 0],
        [-0.5, 0.75, 1],
      ]),
      x,
    ),
  "logSumExp of outer sums": (x) => x.reshape([N, 1]).add(x).logSumExp({ axis: 0 }).div(3),
  "parts swapped": (x) => autograd.concat([x.slice([1, null]), x.slice([0, 1]).square().tanh()], { axis: 0 }),
  "x centred, over its deviation": (x) => x.sub(x.mean()).div(x.variance().add(1).sqrt()),
};
