// Generated from ops/elementwise.ts by `pnpm generate` (scripts/generate.ts). Do not edit.

import type { TypedArray } from "../dtype.js";
import { pow } from "./ieee.js";

type A = TypedArray;

/**
 * Loops over n elements. `out` (g, d) are contiguous from o (e, r); each operand is read from its own start with its own stride,
 * 0 where it is broadcast. A partial writes cotangent * partial; "pass" stands for a partial of 1, null for none.
 */
export interface ElementwiseKernel {
  /** Of plain numbers; a condition is 1 or 0. */
  readonly scalar: (...operands: number[]) => number;
  readonly forward: Forward;
  readonly partials: readonly (PartialLoop | "pass" | null)[];
  /** What each partial reads: bit k for operand k, bit 3 for the output. */
  readonly keeps: readonly number[];
}
export type Forward = (
  n: number,
  out: A,
  o: number,
  x: A,
  x0: number,
  xs: number,
  y: A,
  y0: number,
  ys: number,
  z: A,
  z0: number,
  zs: number,
) => void;
export type PartialLoop = (
  n: number,
  g: A,
  o: number,
  d: A,
  e: number,
  out: A,
  r: number,
  x: A,
  x0: number,
  xs: number,
  y: A,
  y0: number,
  ys: number,
  z: A,
  z0: number,
  zs: number,
) => void;

export const kernels = {
  identity: {
    scalar: (x: number) => x,
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = x[x0]!;
    },
    partials: ["pass"],
    keeps: [0],
  },
  neg: {
    scalar: (x: number) => -x,
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = -x[x0]!;
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = -d[e + k]!;
      },
    ],
    keeps: [0],
  },
  exp: {
    scalar: (x: number) => Math.exp(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.exp(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * out[r + k]!;
      },
    ],
    keeps: [8],
  },
  expm1: {
    scalar: (x: number) => Math.expm1(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.expm1(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * (out[r + k]! + 1);
      },
    ],
    keeps: [8],
  },
  log: {
    scalar: (x: number) => Math.log(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.log(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * (1 / x[x0]!);
      },
    ],
    keeps: [1],
  },
  log1p: {
    scalar: (x: number) => Math.log1p(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.log1p(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * (1 / (x[x0]! + 1));
      },
    ],
    keeps: [1],
  },
  sqrt: {
    scalar: (x: number) => Math.sqrt(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.sqrt(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * (0.5 / out[r + k]!);
      },
    ],
    keeps: [8],
  },
  square: {
    scalar: (x: number) => x * x,
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = x[x0]! * x[x0]!;
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * (2 * x[x0]!);
      },
    ],
    keeps: [1],
  },
  abs: {
    scalar: (x: number) => Math.abs(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.abs(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * Math.sign(x[x0]!);
      },
    ],
    keeps: [1],
  },
  sign: {
    scalar: (x: number) => Math.sign(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.sign(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * 0;
      },
    ],
    keeps: [0],
  },
  reciprocal: {
    scalar: (x: number) => 1 / x,
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = 1 / x[x0]!;
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * -(out[r + k]! * out[r + k]!);
      },
    ],
    keeps: [8],
  },
  sin: {
    scalar: (x: number) => Math.sin(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.sin(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * Math.cos(x[x0]!);
      },
    ],
    keeps: [1],
  },
  cos: {
    scalar: (x: number) => Math.cos(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.cos(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * -Math.sin(x[x0]!);
      },
    ],
    keeps: [1],
  },
  tanh: {
    scalar: (x: number) => Math.tanh(x),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.tanh(x[x0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * (1 - out[r + k]! * out[r + k]!);
      },
    ],
    keeps: [8],
  },
  sigmoid: {
    scalar: (x: number) => 1 / (1 + Math.exp(-x)),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = 1 / (1 + Math.exp(-x[x0]!));
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * (out[r + k]! * (1 - out[r + k]!));
      },
    ],
    keeps: [8],
  },
  relu: {
    scalar: (x: number) => Math.max(x, 0),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.max(x[x0]!, 0);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = x[x0]! > 0 ? d[e + k]! : 0;
      },
    ],
    keeps: [1],
  },
  softplus: {
    scalar: (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.max(x[x0]!, 0) + Math.log1p(Math.exp(-Math.abs(x[x0]!)));
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * (1 / (1 + Math.exp(-x[x0]!)));
      },
    ],
    keeps: [1],
  },
  add: {
    scalar: (x: number, y: number) => x + y,
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! + y[y0]!;
    },
    partials: ["pass", "pass"],
    keeps: [0, 0],
  },
  sub: {
    scalar: (x: number, y: number) => x - y,
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! - y[y0]!;
    },
    partials: [
      "pass",
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = -d[e + k]!;
      },
    ],
    keeps: [0, 0],
  },
  mul: {
    scalar: (x: number, y: number) => x * y,
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! * y[y0]!;
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = d[e + k]! * y[y0]!;
      },
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = d[e + k]! * x[x0]!;
      },
    ],
    keeps: [2, 1],
  },
  div: {
    scalar: (x: number, y: number) => x / y,
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! / y[y0]!;
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = d[e + k]! * (1 / y[y0]!);
      },
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = d[e + k]! * -(out[r + k]! / y[y0]!);
      },
    ],
    keeps: [2, 10],
  },
  pow: {
    scalar: (x: number, y: number) => pow(x, y),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = pow(x[x0]!, y[y0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = y[y0]! !== 0 ? d[e + k]! * (y[y0]! * pow(x[x0]!, y[y0]! - 1)) : 0;
      },
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys)
          g[o + k] = !(x[x0]! === 0 && y[y0]! >= 0) ? d[e + k]! * (out[r + k]! * Math.log(x[x0]!)) : 0;
      },
    ],
    keeps: [3, 11],
  },
  maximum: {
    scalar: (x: number, y: number) => Math.max(x, y),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = Math.max(x[x0]!, y[y0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = x[x0]! >= y[y0]! ? d[e + k]! * (x[x0]! === y[y0]! ? 0.5 : 1) : 0;
      },
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = y[y0]! >= x[x0]! ? d[e + k]! * (x[x0]! === y[y0]! ? 0.5 : 1) : 0;
      },
    ],
    keeps: [3, 3],
  },
  minimum: {
    scalar: (x: number, y: number) => Math.min(x, y),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = Math.min(x[x0]!, y[y0]!);
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = x[x0]! <= y[y0]! ? d[e + k]! * (x[x0]! === y[y0]! ? 0.5 : 1) : 0;
      },
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, x0 += xs, y0 += ys) g[o + k] = y[y0]! <= x[x0]! ? d[e + k]! * (x[x0]! === y[y0]! ? 0.5 : 1) : 0;
      },
    ],
    keeps: [3, 3],
  },
  eq: {
    scalar: (x: number, y: number) => (x === y ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! === y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  ne: {
    scalar: (x: number, y: number) => (x !== y ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! !== y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  lt: {
    scalar: (x: number, y: number) => (x < y ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! < y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  le: {
    scalar: (x: number, y: number) => (x <= y ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! <= y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  gt: {
    scalar: (x: number, y: number) => (x > y ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! > y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  ge: {
    scalar: (x: number, y: number) => (x >= y ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! >= y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  logicalAnd: {
    scalar: (x: number, y: number) => (x !== 0 && y !== 0 ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! !== 0 && y[y0]! !== 0 ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  logicalOr: {
    scalar: (x: number, y: number) => (x !== 0 || y !== 0 ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! !== 0 || y[y0]! !== 0 ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  logicalXor: {
    scalar: (x: number, y: number) => ((x !== 0) !== (y !== 0) ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = (x[x0]! !== 0) !== (y[y0]! !== 0) ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  logicalNot: {
    scalar: (x: number) => (!(x !== 0) ? 1 : 0),
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = !(x[x0]! !== 0) ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  where: {
    scalar: (c: number, x: number, y: number) => (c !== 0 ? x : y),
    forward: (n, out, o, c: A, c0: number, cs: number, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, c0 += cs, x0 += xs, y0 += ys) out[o + k] = c[c0]! !== 0 ? x[x0]! : y[y0]!;
    },
    partials: [
      null,
      (n, g, o, d, e, out, r, c: A, c0: number, cs: number, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, c0 += cs, x0 += xs, y0 += ys) g[o + k] = c[c0]! !== 0 ? d[e + k]! : 0;
      },
      (n, g, o, d, e, out, r, c: A, c0: number, cs: number, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
        for (let k = 0; k < n; k++, c0 += cs, x0 += xs, y0 += ys) g[o + k] = !(c[c0]! !== 0) ? d[e + k]! : 0;
      },
    ],
    keeps: [0, 1, 1],
  },
} satisfies Record<string, ElementwiseKernel>;
