/** What a recurrent cell is, and the parts that the built-in ones share. */
import { matmul, unstack, Value } from "@unroll/autograd";
import { type CellForm, checkCell } from "./checks.js";

/**
 * One step of a recurrent network: from what it carries and the inputs of the step, [B, I], to what it carries on and its output. Params
 * and carry are trees of Values of any structure; see docs/cells.md for cells to write yourself, and `unroll` to run one over time. Inputs
 * and output are one Value each where nothing else is said; `truncatedBptt` and its kin take cells whose inputs X and output Y are trees.
 */
export type Cell<P, C, X = Value, Y = Value> = (params: P, carry: C, x: X) => readonly [carry: C, output: Y];

/** The weights of a built-in cell: G gates, I inputs, H hidden units. Names, shapes and the order of gates are PyTorch's. */
export interface CellParams<T extends Value = Value> {
  /** [G H, I] */
  readonly weight_ih: T;
  /** [G H, H] */
  readonly weight_hh: T;
  /** [G H]; left out in a cell without biases, as is `bias_hh`. */
  readonly bias_ih?: T | undefined;
  /** [G H] */
  readonly bias_hh?: T | undefined;
}

/**
 * A built-in cell with its weights bound: what depends on the inputs alone apart from what depends on the carry, so that a layer computes
 * the former for all steps in one product, and turns its weights round only once.
 */
export interface Recurrence<C> {
  /** The inputs' share of the gates: [..., I] to [..., G H]. */
  project(xs: Value): Value;
  /** One step, from a row of what `project` gave, [B, G H]. */
  step(carry: C, projected: Value): readonly [carry: C, output: Value];
}

/** The cell that a recurrence is, one step at a time; of inputs [I] without a batch as of a batch of one. */
export function cellOf<P extends CellParams, C extends Value | readonly Value[]>(
  form: CellForm,
  bind: (params: P) => Recurrence<C>,
): Cell<P, C> {
  return (params, carry, x) => {
    checkCell(form, params, carry, x);
    const { project, step } = bind(params);
    if (x.shape.length === 2) return step(carry, project(x));
    const [next, output] = step(eachOf(carry, withBatch), project(withBatch(x)));
    return [eachOf(next, withoutBatch), withoutBatch(output)];
  };
}

const withBatch = (x: Value): Value => x.reshape([1, ...x.shape]);
const withoutBatch = (x: Value): Value => x.reshape(x.shape.slice(1));
const eachOf = <C extends Value | readonly Value[]>(carry: C, f: (x: Value) => Value): C =>
  (carry instanceof Value ? f(carry) : carry.map(f)) as C;

/** x Wᵀ + b over the last axis: [..., I], [O, I] and [O] to [..., O]. Leading axes become the rows of one product. */
export function affine(x: Value, weight: Value, bias?: Value): Value {
  const inputs = x.shape.at(-1) ?? 0;
  const rows = x.shape.length === 2 ? x : x.reshape([-1, inputs]);
  const product = matmul(rows, weight.transpose());
  const sum = bias === undefined ? product : product.add(bias);
  return rows === x ? sum : sum.reshape([...x.shape.slice(0, -1), weight.shape[0] as number]);
}

/** [B, n H] as its n blocks [B, H]. One node of the graph, where slices would be n, each padded with zeros on the way back. */
export function blocks(x: Value, n: number): Value[] {
  const [batch, width] = x.shape as [number, number];
  return unstack(x.reshape([batch, n, width / n]), { axis: 1 });
}
