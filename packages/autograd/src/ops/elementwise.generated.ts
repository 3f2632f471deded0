// Generated from ops/elementwise.ts by `pnpm generate` (scripts/generate.ts). Do not edit.

import type { TypedArray } from "../dtype.js";
import { pow } from "./ieee.js";

type A = TypedArray;

/**
 * Loops over n elements. `out` (g, d) are contiguous from o (e, r); each operand is read from its own start with its own stride,
 * 0 where it is broadcast. A partial writes cotangent * partial; "pass" stands for a partial of 1, null for none.
 */
export interface ElementwiseKernel {
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
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = x[x0]!;
    },
    partials: ["pass"],
    keeps: [0],
  },
  neg: {
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
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = Math.max(x[x0]!, 0) + Math.log1p(Math.exp(-Math.abs(x[x0]!)));
    },
    partials: [
      (n, g, o, d, e, out, r, x: A, x0: number, xs: number) => {
        for (let k = 0; k < n; k++, x0 += xs) g[o + k] = d[e + k]! * -Math.expm1(-out[r + k]!);
      },
    ],
    keeps: [8],
  },
  add: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      if (xs === 1 && ys === 1) {
        for (let k = 0; k < n; k++) out[o + k] = x[x0 + k]! + y[y0 + k]!;
        return;
      }
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! + y[y0]!;
    },
    partials: ["pass", "pass"],
    keeps: [0, 0],
  },
  sub: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      if (xs === 1 && ys === 1) {
        for (let k = 0; k < n; k++) out[o + k] = x[x0 + k]! - y[y0 + k]!;
        return;
      }
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
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      if (xs === 1 && ys === 1) {
        for (let k = 0; k < n; k++) out[o + k] = x[x0 + k]! * y[y0 + k]!;
        return;
      }
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
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! === y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  ne: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! !== y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  lt: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! < y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  le: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! <= y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  gt: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! > y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  ge: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! >= y[y0]! ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  logicalAnd: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! !== 0 && y[y0]! !== 0 ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  logicalOr: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = x[x0]! !== 0 || y[y0]! !== 0 ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  logicalXor: {
    forward: (n, out, o, x: A, x0: number, xs: number, y: A, y0: number, ys: number) => {
      for (let k = 0; k < n; k++, x0 += xs, y0 += ys) out[o + k] = (x[x0]! !== 0) !== (y[y0]! !== 0) ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  logicalNot: {
    forward: (n, out, o, x: A, x0: number, xs: number) => {
      for (let k = 0; k < n; k++, x0 += xs) out[o + k] = !(x[x0]! !== 0) ? 1 : 0;
    },
    partials: [],
    keeps: [],
  },
  where: {
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
