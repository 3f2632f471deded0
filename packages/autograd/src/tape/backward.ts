import { GraphError, ShapeError } from "../errors.js";
import { filledPayload } from "../ops/raw.js";
import { tracer } from "../ops/tracer.js";
import { formatShape, sameShape } from "../shape.js";
import { type Operand, toValue } from "./apply.js";
import { NumericPass } from "./numericPass.js";
import { RecordedPass } from "./recordedPass.js";
import { RELEASED_SEGMENT, Segment } from "./segments.js";
import { type Param, Value } from "./value.js";

export interface BackwardOptions {
  /** Initial cotangent, of the value's shape; default 1 for a scalar. */
  readonly seed?: Operand;
  /** Records the backward pass, so that gradients are differentiable again; keeps the graph. */
  readonly createGraph?: boolean;
  /** Keeps the graph for another backward pass, whose gradients add. */
  readonly retainGraph?: boolean;
}

/** See Value.backward. */
export function backward(root: Value, { seed, createGraph = false, retainGraph = false }: BackwardOptions): void {
  if (tracer !== null)
    throw new GraphError(
      "backward: a function that compile() traces has no .grad to add to; call grad or valueAndGrad in it, or backward() on its result",
    );
  if (root.origin === null) {
    throw new GraphError("backward: this value needs no gradient: it was computed from constants or under noGrad; start from a param(…)");
  }
  const cotangent = seedOf(root, seed);
  if (createGraph) return recordedBackward(root, cotangent);
  const pass = new NumericPass(null);
  try {
    pass.run([root], [cotangent.payload]);
    const commits = pass.leafGradients();
    pass.commit(retainGraph);
    for (const commit of commits) commit();
    if (!retainGraph && root.origin instanceof Segment) root.origin = RELEASED_SEGMENT;
  } finally {
    pass.cleanUp();
  }
}

function seedOf(root: Value, seed: Operand | undefined): Value {
  if (seed === undefined) {
    if (root.size === 1) return new Value(null, 0, filledPayload(root.type, 1));
    throw new GraphError(
      `backward: a value of shape ${formatShape(root.shape)} has no single gradient; reduce it to a scalar (sum, mean), or give backward({ seed }) of its shape`,
    );
  }
  const given = toValue("backward", seed);
  if (sameShape(given.shape, root.shape)) return given;
  throw new ShapeError(
    `backward: the seed has shape ${formatShape(given.shape)}, the value ${formatShape(root.shape)}; they must be equal`,
  );
}

/** With createGraph: the same rules, on recorded Values. */
function recordedBackward(root: Value, seed: Value): void {
  const commits: (() => void)[] = [];
  const gradients = RecordedPass.cotangents([root], [seed], null, [], (f) => void commits.push(f));
  for (const [leaf, gradient] of gradients) (leaf as Param).collect(gradient);
  for (const commit of commits) commit();
}
