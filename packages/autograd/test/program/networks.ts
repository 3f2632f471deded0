/** Training steps of recurrent networks, written as a user writes them: in ordinary operations, over time by `scan`. */
import { matmul, mseLoss, scan, split, type Value, value, valueAndGrad } from "../../src/index.js";
import { randomLike } from "../matrix/derivatives.js";
import { single } from "./agreement.js";

export type Params = Readonly<Record<string, Value>>;
type Carry = readonly Value[];

interface Cell {
  /** Rows of its weights, in multiples of the hidden size. */
  readonly gates: number;
  /** How many arrays it carries; the first is its output. */
  readonly carries: number;
  step(p: Params, carry: Carry, x: Value): Carry;
}

const affine = (x: Value, weight: Value | undefined, bias: Value | undefined): Value => matmul(x, weight!.transpose()).add(bias!);

/** Gates are in PyTorch's order. */
const CELLS = {
  rnn: {
    gates: 1,
    carries: 1,
    step: ({ wx, wh, bx, bh }, [h], x) => [
      affine(x, wx, bx)
        .add(affine(h!, wh, bh))
        .tanh(),
    ],
  },
  lstm: {
    gates: 4,
    carries: 2,
    step({ wx, wh, bx, bh }, [h, c], x) {
      const [i, f, g, o] = split(affine(x, wx, bx).add(affine(h!, wh, bh)), 4, { axis: 1 });
      const next = f!.sigmoid().mul(c!).add(i!.sigmoid().mul(g!.tanh()));
      return [o!.sigmoid().mul(next.tanh()), next];
    },
  },
  gru: {
    gates: 3,
    carries: 1,
    step({ wx, wh, bx, bh }, [h], x) {
      const [xr, xz, xn] = split(affine(x, wx, bx), 3, { axis: 1 });
      const [hr, hz, hn] = split(affine(h!, wh, bh), 3, { axis: 1 });
      const z = xz!.add(hz!).sigmoid();
      const n = xn!.add(xr!.add(hr!).sigmoid().mul(hn!)).tanh();
      return [n.add(z.mul(h!.sub(n)))];
    },
  },
} as const satisfies Readonly<Record<string, Cell>>;

export type Kind = keyof typeof CELLS;
export const KINDS = Object.keys(CELLS) as Kind[];

export interface Size {
  readonly hidden: number;
  readonly batch: number;
  readonly steps: number;
}

type Data = readonly [xs: Value, targets: Value];

export interface Training {
  loss(params: Params, ...data: Data): Value;
  readonly args: readonly [Params, ...Data];
}

/** The loss and its gradients. */
export const stepOf = ({ loss }: Training) => valueAndGrad(loss) as unknown as (...args: Training["args"]) => readonly [Value, Params];

const array = (seed: number, ...shape: number[]): Value =>
  randomLike([{ shape, size: shape.reduce((a, b) => a * b, 1) }], seed)[0] as Value;

const zeros = (...shape: number[]): Value => value(new Float64Array(shape.reduce((a, b) => a * b, 1)), { shape });

/** A layer with as many inputs as hidden units and a zero state; the mean squared error of its outputs. */
export function training(kind: Kind, { hidden, batch, steps }: Size, dtype: "float32" | "float64" = "float32"): Training {
  const cell: Cell = CELLS[kind];
  const of = (x: Value): Value => (dtype === "float32" ? single(x) : x);
  const start = Array.from({ length: cell.carries }, () => of(zeros(batch, hidden)));
  const loss = (p: Params, xs: Value, targets: Value): Value => {
    const step = (carry: Carry, x: Value) => {
      const next = cell.step(p, carry, x);
      return [next, next[0] as Value] as const;
    };
    const [, outputs] = scan<Carry, Value, Value>(step, start, xs);
    return mseLoss(outputs, targets);
  };
  const rows = cell.gates * hidden;
  const shapes = { wx: [rows, hidden], wh: [rows, hidden], bx: [rows], bh: [rows] };
  const params = Object.fromEntries(Object.entries(shapes).map(([name, shape], k) => [name, of(array(k, ...shape).div(hidden ** 0.5))]));
  return {
    loss,
    args: [params, of(array(10, steps, batch, hidden)), of(array(11, steps, batch, hidden))],
  };
}

/** The toy network of one hidden sigmoid unit, all of it scalars; parameters u, v, w and the initial state s. */
export function toyTraining(steps: number): Training {
  const loss = ({ u, v, w, s }: Params, xs: Value, targets: Value): Value => {
    const [[, sum]] = scan<readonly [Value, Value], readonly [Value, Value], null>(
      ([y, before], [x, target]) => {
        const next = w!.mul(y).add(v!.mul(x)).sigmoid();
        return [[next, before.add(target.sub(u!.mul(next)).square())], null];
      },
      [s!, 0],
      [xs, targets],
    );
    return sum;
  };
  return {
    loss,
    args: [{ u: value(0.7), v: value(-0.4), w: value(1.3), s: value(0.25) }, array(12, steps), array(13, steps)],
  };
}
