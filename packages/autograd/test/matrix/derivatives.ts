import { grad, jvp, mul, square, sum, type Value, value } from "../../src/index.js";
import { disagreement } from "./agreement.js";
import { typed } from "./references.js";
import { randomFrom } from "./sampling.js";

/** A scalar function of arrays. */
export type Scalar = (...operands: Value[]) => Value;

/** How the next order is made of the one below: the gradient times a direction, or the tangent along it. They must be equal. */
export type Mode = "reverse" | "forward";

function all(operands: readonly Value[]): number[] {
  return operands.map((_, k) => k);
}

/** Gradients of a scalar function, one an operand. */
export function gradientsOf(f: Scalar, operands: readonly Value[]): Value[] {
  return grad(f, { argnums: all(operands) })(...operands);
}

export function inner(xs: readonly Value[], ys: readonly Value[]): Value {
  return xs.map((x, k) => sum(mul(x, ys[k] as Value))).reduce((a, b) => a.add(b));
}

/** The derivative of f along `directions`, as a function that can be differentiated again. */
export function along(f: Scalar, directions: readonly Value[], mode: Mode): Scalar {
  if (mode === "reverse") return (...xs) => inner(gradientsOf(f, xs), directions);
  return (...xs) => jvp(f, xs, [...directions])[1];
}

/** Seeded directions and cotangents with entries of magnitude 0.5 to 1.5. */
export function randomLike(xs: readonly { readonly shape: readonly number[]; readonly size: number }[], seed: number): Value[] {
  const random = randomFrom(seed);
  const entry = () => (0.5 + random()) * (random() < 0.5 ? -1 : 1);
  return xs.map(({ shape, size }) => value(Float64Array.from({ length: size }, entry), { shape }));
}

/** sum(c * out^2) over the floating outputs, c seeded: a scalar of every output, and of second order where the operation is linear. */
export function squaredSum(call: (...xs: Value[]) => readonly Value[], seed: number): Scalar {
  return (...xs) => {
    const outputs = call(...xs).filter(({ dtype }) => dtype === "float64" || dtype === "float32");
    return inner(outputs.map(square), randomLike(outputs, seed));
  };
}

const HALVINGS = 4;

/**
 * The derivative of g at 0 by central differences with steps h, h/2, h/4, h/8, extrapolated to step 0 (Romberg): with h a 32nd of the
 * distance to the next singularity what is cut off lies below what is rounded off.
 */
function differentiated(g: (t: number) => number, h: number): number {
  let row: number[] = [];
  for (let k = 0; k < HALVINGS; k++) {
    const step = h / 2 ** k;
    const next = [(g(step) - g(-step)) / (2 * step)];
    for (let j = 1; j <= k; j++) next.push((next[j - 1] as number) + ((next[j - 1] as number) - (row[j - 1] as number)) / (4 ** j - 1));
    row = next;
  }
  return row[row.length - 1] as number;
}

/** `operands` moved by t times `directions`. */
function moved(operands: readonly Value[], directions: readonly Value[], t: number): Value[] {
  return operands.map((x, k) => {
    const by = (directions[k] as Value).data;
    return value(
      typed(
        Array.from(x.data, (e, j) => e + t * (by[j] as number)),
        "float64",
      ),
      { shape: x.shape },
    );
  });
}

const TOLERANCE = 1e-9;

export interface Check {
  readonly f: Scalar;
  readonly operands: readonly Value[];
  readonly orders: number;
  readonly mode: Mode;
  /** Distance from the operands to the nearest singularity of f, in any coordinate. */
  readonly radius?: number;
  readonly seed?: number;
}

/**
 * Checks the derivatives of each order by differencing the analytic one below it: in reverse mode every entry of the gradient, in forward
 * mode the tangent. Returns what is wrong, one line an entry.
 */
export function wrongDerivatives({ f, operands, orders, mode, radius = 1, seed = 1 }: Check): string[] {
  const wrong: string[] = [];
  let below = f;
  for (let order = 1; order <= orders; order++) {
    // Entries of magnitude up to 1.5, so a step along them reaches further than one along an axis.
    const directions = randomLike(operands, seed * 10 + order);
    const entries = mode === "reverse" ? gradientEntries(below, operands, radius) : [tangentEntry(below, operands, directions, radius)];
    const scale = Math.max(...entries.map(({ analytic }) => Math.abs(analytic)), Math.abs(below(...operands).item()) / radius, 1e-3);
    for (const { name, analytic, difference } of entries) {
      const found = disagreement(analytic, difference, TOLERANCE * scale);
      if (found !== null) wrong.push(`order ${order}, ${mode}, ${name}: ${found}`);
    }
    below = along(below, directions, mode);
  }
  return wrong;
}

interface Entry {
  readonly name: string;
  readonly analytic: number;
  readonly difference: number;
}

function gradientEntries(f: Scalar, operands: readonly Value[], radius: number): Entry[] {
  const gradients = gradientsOf(f, operands);
  return operands.flatMap((x, k) =>
    Array.from({ length: x.size }, (_, j) => {
      const unit = operands.map((y, i) =>
        value(
          Float64Array.from({ length: y.size }, (_, e) => Number(i === k && e === j)),
          { shape: y.shape },
        ),
      );
      const difference = differentiated((t) => f(...moved(operands, unit, t)).item(), radius / 32);
      return { name: `operand ${k}, entry ${j}`, analytic: (gradients[k] as Value).data[j] as number, difference };
    }),
  );
}

function tangentEntry(f: Scalar, operands: readonly Value[], directions: readonly Value[], radius: number): Entry {
  const analytic = along(f, directions, "forward")(...operands).item();
  const difference = differentiated((t) => f(...moved(operands, directions, t)).item(), radius / 48);
  return { name: "tangent", analytic, difference };
}
