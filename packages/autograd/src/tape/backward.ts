import { GraphError } from "../errors.js";
import { filledPayload } from "../ops/array.js";
import { tracer } from "../ops/tracer.js";
import { checkSameShape, formatShape } from "../shape.js";
import { type Operand, toValue } from "./apply.js";
import { needsNoGradient } from "./hooks.js";
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
  tracer?.refuse("backward");
  if (root.origin === null) {
    needsNoGradient("backward");
  }
  const cotangent = seedOf(root, seed);
  if (createGraph) return recordedBackward(root, cotangent);
  const pass = new NumericPass(null);
  try {
    pass.run([root], [cotangent.payload]);
    const commits = pass.leafGradients();
    pass.commit(retainGraph);
    for (const commit of commits) commit();
    if (!retainGraph && root.origin instanceof Segment) root.home = RELEASED_SEGMENT;
  } finally {
    pass.cleanUp();
  }
}

function seedOf(root: Value, seed: Operand | undefined): Value {
  if (seed === undefined) {
    if (root.size === 1) return new Value(null, 0, filledPayload(root.type, 1));
    throw new GraphError(
      `backward: expected a scalar, got shape ${formatShape(root.shape)}; reduce it to a scalar (sum, mean), or give backward({ seed }) of its shape`,
    );
  }
  const given = toValue("backward", seed);
  checkSameShape("backward", "the seed", given.shape, root.shape, "give one of the value's shape");
  return given;
}

/** With createGraph: the same rules, on recorded Values. */
function recordedBackward(root: Value, seed: Value): void {
  const commits: (() => void)[] = [];
  const gradients = RecordedPass.cotangents([root], [seed], null, [], (f) => void commits.push(f));
  for (const [leaf, gradient] of gradients) (leaf as Param).collect(gradient);
  for (const commit of commits) commit();
}
