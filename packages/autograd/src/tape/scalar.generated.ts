// Generated from ops/elementwise.ts by `pnpm generate` (scripts/generate.ts). Do not edit.

import { pow as ieeePow } from "../ops/ieee.js";
import type { ElementwiseOp } from "../ops/op.js";
import { binary, unary } from "../ops/table.js";
import { applyArithmetic, type Operand, unrecorded } from "./apply.js";
import type { PendingSegment } from "./pass.js";
import { open, openColumns } from "./columns.js";
import { CONST, HOOKED, importOf, NODE, RELEASED, releasedError, room } from "./segments.js";
import { Value } from "./value.js";

const ops = { ...unary, ...binary };

/** The operation that a code in a segment's `op` column stands for, counted from FIRST_CODE. */
export const FIRST_CODE = 6;
export const scalarOps: readonly ElementwiseOp[] = Object.values(ops);

/**
 * What writes to the open segment. Constants of a function, since bundlers turn those of a module into variables, whose values V8 does not
 * build into code.
 */
export const { recorded, recordedBinary, constantRow, addInOpen, subInOpen, mulInOpen } = (() => {
  const o = open;
  const { op, a, b, v } = openColumns;

  function row(code: number, x: number, y: number, r: number): Value {
    const i = o.n;
    o.n = i + 1;
    op[i] = code;
    a[i] = x;
    b[i] = y;
    v[i] = r;
    return new Value(o.segment, i, r);
  }

  function constantRow(x: number): number {
    const i = o.n;
    o.n = i + 1;
    op[i] = CONST;
    v[i] = x;
    return i;
  }

  /** Records an operation on one scalar, whose result is r. */
  function recorded(code: number, r: number, x: Value): Value {
    if (o.n < o.full && x.home === o.segment) return row(code, x.row, x.row, r);
    if (x.origin === null || (o.n >= o.full && !room())) return unrecorded(scalarOps[code - FIRST_CODE]!, r, x);
    const k = x.home === o.segment ? x.row : importOf(x);
    return row(code, k, k, r);
  }

  /** Records an operation on two scalars, whose result is r. */
  function recordedBinary(code: number, r: number, x: Value, y: Value | number): Value {
    if (typeof y === "number" && o.n < o.full && x.home === o.segment) return row(code, x.row, constantRow(y), r);
    if ((x.origin === null && (typeof y === "number" || y.origin === null)) || (o.n >= o.full && !room()))
      return unrecorded(scalarOps[code - FIRST_CODE]!, r, x, y);
    const j = x.home === o.segment ? x.row : importOf(x);
    const k = typeof y === "number" ? constantRow(y) : y.home === o.segment ? y.row : importOf(y);
    return row(code, j, k, r);
  }

  function addInOpen(x: Operand, y: Operand): Value {
    const s = o.segment;
    const i = o.n;
    if (i < o.full && (x as Value)?.home === s && (y as Value)?.home === s) {
      const r = ((x as Value).payload as number) + ((y as Value).payload as number);
      op[i] = 23;
      a[i] = (x as Value).row;
      b[i] = (y as Value).row;
      v[i] = r;
      o.n = i + 1;
      return new Value(s, i, r);
    }
    return addAnywhere(x, y);
  }

  function subInOpen(x: Operand, y: Operand): Value {
    const s = o.segment;
    const i = o.n;
    if (i < o.full && (x as Value)?.home === s && (y as Value)?.home === s) {
      const r = ((x as Value).payload as number) - ((y as Value).payload as number);
      op[i] = 24;
      a[i] = (x as Value).row;
      b[i] = (y as Value).row;
      v[i] = r;
      o.n = i + 1;
      return new Value(s, i, r);
    }
    return subAnywhere(x, y);
  }

  function mulInOpen(x: Operand, y: Operand): Value {
    const s = o.segment;
    const i = o.n;
    if (i < o.full && (x as Value)?.home === s && (y as Value)?.home === s) {
      const r = ((x as Value).payload as number) * ((y as Value).payload as number);
      op[i] = 25;
      a[i] = (x as Value).row;
      b[i] = (y as Value).row;
      v[i] = r;
      o.n = i + 1;
      return new Value(s, i, r);
    }
    return mulAnywhere(x, y);
  }

  return { recorded, recordedBinary, constantRow, addInOpen, subInOpen, mulInOpen };
})();

/**
 * The value itself, as a new node of the graph; elementwise.
 * Derivative: d/dx = 1.
 * @example
 * import { identity } from "@unroll/autograd";
 * console.log(identity(1.5).item()); // 1.5
 */
export function identity(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(6, p, x as Value) : applyArithmetic(ops.identity, x);
}

/**
 * -x; elementwise.
 * Derivative: d/dx = -1.
 * @example
 * import { neg } from "@unroll/autograd";
 * console.log(neg(1.5).item()); // -1.5
 */
export function neg(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(7, -p, x as Value) : applyArithmetic(ops.neg, x);
}

/**
 * e to the power x; elementwise.
 * Derivative: d/dx = out.
 * @example
 * import { exp } from "@unroll/autograd";
 * console.log(exp(1.5).item()); // 4.4816890703380645
 */
export function exp(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(8, Math.exp(p), x as Value) : applyArithmetic(ops.exp, x);
}

/**
 * exp(x) - 1, accurate near 0; elementwise.
 * Derivative: d/dx = out + 1.
 * @example
 * import { expm1 } from "@unroll/autograd";
 * console.log(expm1(1.5).item()); // 3.481689070338065
 */
export function expm1(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(9, Math.expm1(p), x as Value) : applyArithmetic(ops.expm1, x);
}

/**
 * Natural logarithm; NaN below 0; elementwise.
 * Derivative: d/dx = 1 / x.
 * @example
 * import { log } from "@unroll/autograd";
 * console.log(log(1.5).item()); // 0.4054651081081644
 */
export function log(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(10, Math.log(p), x as Value) : applyArithmetic(ops.log, x);
}

/**
 * log(1 + x), accurate near 0; NaN below -1; elementwise.
 * Derivative: d/dx = 1 / (x + 1).
 * @example
 * import { log1p } from "@unroll/autograd";
 * console.log(log1p(1.5).item()); // 0.9162907318741551
 */
export function log1p(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(11, Math.log1p(p), x as Value) : applyArithmetic(ops.log1p, x);
}

/**
 * Square root; NaN below 0; elementwise.
 * Derivative: d/dx = 0.5 / out.
 * @example
 * import { sqrt } from "@unroll/autograd";
 * console.log(sqrt(1.5).item()); // 1.224744871391589
 */
export function sqrt(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(12, Math.sqrt(p), x as Value) : applyArithmetic(ops.sqrt, x);
}

/**
 * x times x; elementwise.
 * Derivative: d/dx = 2 * x.
 * @example
 * import { square } from "@unroll/autograd";
 * console.log(square(1.5).item()); // 2.25
 */
export function square(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(13, p * p, x as Value) : applyArithmetic(ops.square, x);
}

/**
 * Absolute value; its derivative at 0 is 0; elementwise.
 * Derivative: d/dx = Math.sign(x).
 * @example
 * import { abs } from "@unroll/autograd";
 * console.log(abs(1.5).item()); // 1.5
 */
export function abs(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(14, Math.abs(p), x as Value) : applyArithmetic(ops.abs, x);
}

/**
 * -1, 0 or 1 (0 and -0 as they are, NaN for NaN); its derivative is 0 everywhere; elementwise.
 * Derivative: d/dx = 0.
 * @example
 * import { sign } from "@unroll/autograd";
 * console.log(sign(1.5).item()); // 1
 */
export function sign(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(15, Math.sign(p), x as Value) : applyArithmetic(ops.sign, x);
}

/**
 * 1 / x; elementwise.
 * Derivative: d/dx = -(out * out).
 * @example
 * import { reciprocal } from "@unroll/autograd";
 * console.log(reciprocal(1.5).item()); // 0.6666666666666666
 */
export function reciprocal(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(16, 1 / p, x as Value) : applyArithmetic(ops.reciprocal, x);
}

/**
 * Sine of x in radians; elementwise.
 * Derivative: d/dx = Math.cos(x).
 * @example
 * import { sin } from "@unroll/autograd";
 * console.log(sin(1.5).item()); // 0.9974949866040544
 */
export function sin(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(17, Math.sin(p), x as Value) : applyArithmetic(ops.sin, x);
}

/**
 * Cosine of x in radians; elementwise.
 * Derivative: d/dx = -Math.sin(x).
 * @example
 * import { cos } from "@unroll/autograd";
 * console.log(cos(1.5).item()); // 0.0707372016677029
 */
export function cos(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(18, Math.cos(p), x as Value) : applyArithmetic(ops.cos, x);
}

/**
 * Hyperbolic tangent; elementwise.
 * Derivative: d/dx = 1 - out * out.
 * @example
 * import { tanh } from "@unroll/autograd";
 * console.log(tanh(1.5).item()); // 0.9051482536448664
 */
export function tanh(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(19, Math.tanh(p), x as Value) : applyArithmetic(ops.tanh, x);
}

/**
 * Logistic function 1 / (1 + exp(-x)); elementwise.
 * Derivative: d/dx = out * (1 - out).
 * @example
 * import { sigmoid } from "@unroll/autograd";
 * console.log(sigmoid(1.5).item()); // 0.8175744761936437
 */
export function sigmoid(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(20, 1 / (1 + Math.exp(-p)), x as Value) : applyArithmetic(ops.sigmoid, x);
}

/**
 * x where x > 0, else 0; its derivative at 0 is 0; elementwise.
 * Derivative: d/dx = 1 where x > 0, else 0.
 * @example
 * import { relu } from "@unroll/autograd";
 * console.log(relu(1.5).item()); // 1.5
 */
export function relu(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(21, Math.max(p, 0), x as Value) : applyArithmetic(ops.relu, x);
}

/**
 * log(1 + exp(x)); elementwise.
 * Derivative: d/dx = -Math.expm1(-out).
 * @example
 * import { softplus } from "@unroll/autograd";
 * console.log(softplus(1.5).item()); // 1.7014132779827524
 */
export function softplus(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number"
    ? recorded(22, Math.max(p, 0) + Math.log1p(Math.exp(-Math.abs(p))), x as Value)
    : applyArithmetic(ops.softplus, x);
}

/**
 * x + y; elementwise with NumPy broadcasting; throws ShapeError where shapes do not broadcast.
 * Derivative: d/dx = 1; d/dy = 1.
 * @example
 * import { add } from "@unroll/autograd";
 * console.log(add(1.5, 0.6).item()); // 2.1
 */
export function add(x: Operand, y: Operand): Value {
  return addInOpen(x, y);
}

function addAnywhere(x: Operand, y: Operand): Value {
  const p = (x as Value)?.payload;
  const q = typeof y === "number" ? y : (y as Value)?.payload;
  return typeof p === "number" && typeof q === "number"
    ? recordedBinary(23, p + q, x as Value, y as Value | number)
    : applyArithmetic(ops.add, x, y);
}

/**
 * x - y; elementwise with NumPy broadcasting; throws ShapeError where shapes do not broadcast.
 * Derivative: d/dx = 1; d/dy = -1.
 * @example
 * import { sub } from "@unroll/autograd";
 * console.log(sub(1.5, 0.6).item()); // 0.9
 */
export function sub(x: Operand, y: Operand): Value {
  return subInOpen(x, y);
}

function subAnywhere(x: Operand, y: Operand): Value {
  const p = (x as Value)?.payload;
  const q = typeof y === "number" ? y : (y as Value)?.payload;
  return typeof p === "number" && typeof q === "number"
    ? recordedBinary(24, p - q, x as Value, y as Value | number)
    : applyArithmetic(ops.sub, x, y);
}

/**
 * x times y; elementwise with NumPy broadcasting; throws ShapeError where shapes do not broadcast.
 * Derivative: d/dx = y; d/dy = x.
 * @example
 * import { mul } from "@unroll/autograd";
 * console.log(mul(1.5, 0.6).item()); // 0.8999999999999999
 */
export function mul(x: Operand, y: Operand): Value {
  return mulInOpen(x, y);
}

function mulAnywhere(x: Operand, y: Operand): Value {
  const p = (x as Value)?.payload;
  const q = typeof y === "number" ? y : (y as Value)?.payload;
  return typeof p === "number" && typeof q === "number"
    ? recordedBinary(25, p * q, x as Value, y as Value | number)
    : applyArithmetic(ops.mul, x, y);
}

/**
 * x / y, in floating point for integers too; elementwise with NumPy broadcasting; throws ShapeError where shapes do not broadcast.
 * Derivative: d/dx = 1 / y; d/dy = -(out / y).
 * @example
 * import { div } from "@unroll/autograd";
 * console.log(div(1.5, 0.6).item()); // 2.5
 */
export function div(x: Operand, y: Operand): Value {
  const p = (x as Value)?.payload;
  const q = typeof y === "number" ? y : (y as Value)?.payload;
  return typeof p === "number" && typeof q === "number"
    ? recordedBinary(26, p / q, x as Value, y as Value | number)
    : applyArithmetic(ops.div, x, y);
}

/**
 * x to the power y; NaN for x < 0 and a y that is not whole; elementwise with NumPy broadcasting; throws ShapeError where shapes do not broadcast.
 * Derivative: d/dx = y * pow(x, y - 1) where y !== 0, else 0; d/dy = out * Math.log(x) where !(x === 0 && y >= 0), else 0.
 * @example
 * import { pow } from "@unroll/autograd";
 * console.log(pow(1.5, 0.6).item()); // 1.2754245006257907
 */
export function pow(x: Operand, y: Operand): Value {
  const p = (x as Value)?.payload;
  const q = typeof y === "number" ? y : (y as Value)?.payload;
  return typeof p === "number" && typeof q === "number"
    ? recordedBinary(27, ieeePow(p, q), x as Value, y as Value | number)
    : applyArithmetic(ops.pow, x, y);
}

/**
 * The larger of x and y, elementwise; NaN if either is; ties share the gradient; elementwise with NumPy broadcasting; throws ShapeError where shapes do not broadcast.
 * Derivative: d/dx = x === y ? 0.5 : 1 where x >= y, else 0; d/dy = x === y ? 0.5 : 1 where y >= x, else 0.
 * @example
 * import { maximum } from "@unroll/autograd";
 * console.log(maximum(1.5, 0.6).item()); // 1.5
 */
export function maximum(x: Operand, y: Operand): Value {
  const p = (x as Value)?.payload;
  const q = typeof y === "number" ? y : (y as Value)?.payload;
  return typeof p === "number" && typeof q === "number"
    ? recordedBinary(28, Math.max(p, q), x as Value, y as Value | number)
    : applyArithmetic(ops.maximum, x, y);
}

/**
 * The smaller of x and y, elementwise; NaN if either is; ties share the gradient; elementwise with NumPy broadcasting; throws ShapeError where shapes do not broadcast.
 * Derivative: d/dx = x === y ? 0.5 : 1 where x <= y, else 0; d/dy = x === y ? 0.5 : 1 where y <= x, else 0.
 * @example
 * import { minimum } from "@unroll/autograd";
 * console.log(minimum(1.5, 0.6).item()); // 0.6
 */
export function minimum(x: Operand, y: Operand): Value {
  const p = (x as Value)?.payload;
  const q = typeof y === "number" ? y : (y as Value)?.payload;
  return typeof p === "number" && typeof q === "number"
    ? recordedBinary(29, Math.min(p, q), x as Value, y as Value | number)
    : applyArithmetic(ops.minimum, x, y);
}

/** The function above for each operation that has one. */
export const scalarFunctions: ReadonlyMap<ElementwiseOp, (x: Value, y: Value) => Value> = new Map(
  [
    identity,
    neg,
    exp,
    expm1,
    log,
    log1p,
    sqrt,
    square,
    abs,
    sign,
    reciprocal,
    sin,
    cos,
    tanh,
    sigmoid,
    relu,
    softplus,
    add,
    sub,
    mul,
    div,
    pow,
    maximum,
    minimum,
  ].map((f, k) => [scalarOps[k]!, f]),
);

/** What a sweep does at the nodes that are not arithmetic. */
export interface SweepEvents<D, A> {
  /** An array node was reached through its import at place i; gives the place at which the sweep must stop so that it can run. */
  node(p: PendingSegment<A>, i: number, d: D): number;
  /** A hook is set at place i; it restores the code there, and the node is visited again. */
  hook(p: PendingSegment<A>, i: number, d: D): void;
}

/**
 * Back-propagates through one segment from `p.hi` down to `p.lo`, the lowest place touched so far, or to `p.limit`. Adjoints are
 * cleared as they are visited; marks stay, and tell at commit what was visited.
 */
export function sweep(p: PendingSegment<Float64Array>, events: SweepEvents<number, Float64Array>): void {
  const g = p.adjoint;
  const mark = p.mark;
  let lo = p.lo;
  let hiImport = p.hiImport;
  let limit = p.limit;
  let visited = 0;
  let i = p.hi;
  for (;;) {
    // Read anew after each event: what a hook records may seal the segment, which then has other columns.
    const { op, a, b, v } = p.core;
    let d = 0;
    let code = 0;
    // No case in here calls a function, so that V8 reads the addresses of the columns once.
    arithmetic: for (; i >= limit; i--) {
      if (mark[i] === 0) {
        if (i < lo) break;
        continue;
      }
      d = g[i]!;
      code = op[i]!;
      switch (code) {
        case CONST:
          break;
        case 6: {
          // identity
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d;
          break;
        }
        case 7: {
          // neg
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! -= d;
          break;
        }
        case 8: {
          // exp
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * v[i]!;
          break;
        }
        case 9: {
          // expm1
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * (v[i]! + 1);
          break;
        }
        case 10: {
          // log
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * (1 / v[x]!);
          break;
        }
        case 11: {
          // log1p
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * (1 / (v[x]! + 1));
          break;
        }
        case 12: {
          // sqrt
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * (0.5 / v[i]!);
          break;
        }
        case 13: {
          // square
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * (2 * v[x]!);
          break;
        }
        case 14: {
          // abs
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * Math.sign(v[x]!);
          break;
        }
        case 15: {
          // sign
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * 0;
          break;
        }
        case 16: {
          // reciprocal
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * -(v[i]! * v[i]!);
          break;
        }
        case 17: {
          // sin
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * Math.cos(v[x]!);
          break;
        }
        case 18: {
          // cos
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * -Math.sin(v[x]!);
          break;
        }
        case 19: {
          // tanh
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * (1 - v[i]! * v[i]!);
          break;
        }
        case 20: {
          // sigmoid
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * (v[i]! * (1 - v[i]!));
          break;
        }
        case 21: {
          // relu
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += v[x]! > 0 ? d : 0;
          break;
        }
        case 22: {
          // softplus
          const x = a[i]!;
          mark[x] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          g[x]! += d * -Math.expm1(-v[i]!);
          break;
        }
        case 23: {
          // add
          const x = a[i]!;
          const y = b[i]!;
          mark[x] = 1;
          mark[y] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          if (y < lo) lo = y;
          else if (y > hiImport) hiImport = y;
          g[x]! += d;
          g[y]! += d;
          break;
        }
        case 24: {
          // sub
          const x = a[i]!;
          const y = b[i]!;
          mark[x] = 1;
          mark[y] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          if (y < lo) lo = y;
          else if (y > hiImport) hiImport = y;
          g[x]! += d;
          g[y]! -= d;
          break;
        }
        case 25: {
          // mul
          const x = a[i]!;
          const y = b[i]!;
          mark[x] = 1;
          mark[y] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          if (y < lo) lo = y;
          else if (y > hiImport) hiImport = y;
          g[x]! += d * v[y]!;
          g[y]! += d * v[x]!;
          break;
        }
        case 26: {
          // div
          const x = a[i]!;
          const y = b[i]!;
          mark[x] = 1;
          mark[y] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          if (y < lo) lo = y;
          else if (y > hiImport) hiImport = y;
          g[x]! += d * (1 / v[y]!);
          g[y]! += d * -(v[i]! / v[y]!);
          break;
        }
        case 28: {
          // maximum
          const x = a[i]!;
          const y = b[i]!;
          mark[x] = 1;
          mark[y] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          if (y < lo) lo = y;
          else if (y > hiImport) hiImport = y;
          if (op[x] !== CONST) g[x]! += v[x]! >= v[y]! ? d * (v[x]! === v[y]! ? 0.5 : 1) : 0;
          if (op[y] !== CONST) g[y]! += v[y]! >= v[x]! ? d * (v[x]! === v[y]! ? 0.5 : 1) : 0;
          break;
        }
        case 29: {
          // minimum
          const x = a[i]!;
          const y = b[i]!;
          mark[x] = 1;
          mark[y] = 1;
          if (x < lo) lo = x;
          else if (x > hiImport) hiImport = x;
          if (y < lo) lo = y;
          else if (y > hiImport) hiImport = y;
          if (op[x] !== CONST) g[x]! += v[x]! <= v[y]! ? d * (v[x]! === v[y]! ? 0.5 : 1) : 0;
          if (op[y] !== CONST) g[y]! += v[y]! <= v[x]! ? d * (v[x]! === v[y]! ? 0.5 : 1) : 0;
          break;
        }
        default:
          break arithmetic;
      }
      g[i] = 0;
      visited++;
    }
    if (i < limit || mark[i] === 0) break;
    g[i] = 0;
    visited++;
    switch (code) {
      case NODE: {
        const stop = events.node(p, i, d);
        if (stop > limit) limit = stop;
        break;
      }
      case HOOKED:
        events.hook(p, i, d);
        visited--;
        i++;
        break;
      case RELEASED:
        releasedError();
        break;
      case 27: {
        // pow
        const x = a[i]!;
        const y = b[i]!;
        mark[x] = 1;
        mark[y] = 1;
        if (x < lo) lo = x;
        else if (x > hiImport) hiImport = x;
        if (y < lo) lo = y;
        else if (y > hiImport) hiImport = y;
        if (op[x] !== CONST) g[x]! += v[y]! !== 0 ? d * (v[y]! * ieeePow(v[x]!, v[y]! - 1)) : 0;
        if (op[y] !== CONST) g[y]! += !(v[x]! === 0 && v[y]! >= 0) ? d * (v[i]! * Math.log(v[x]!)) : 0;
        break;
      }
    }
    i--;
  }
  p.hi = i;
  p.lo = lo;
  p.hiImport = hiImport;
  p.visited += visited;
}
