import type { Range } from "../../ops/algebra.js";
import { broadcastTo, slice } from "../../ops/shapes.js";
import { sameShape } from "../../shape.js";
import { type Graph, type GraphBuilder, type Instruction, rewritten, useCounts } from "../graph.js";
import { isView } from "../location.js";
import { deadCode } from "./deadCode.js";
import { everywhere } from "./pass.js";
import { areApart, rangesOf } from "./ranges.js";

/** Broadcast first, elements would be computed several times. */
const movesUp = (instruction: Instruction): boolean => isView(instruction) && (instruction.op as unknown) !== broadcastTo;

/**
 * A view of an elementwise result becomes elementwise operations on views of the operands: the gates of a cell are taken apart before the
 * bias is added, not after, and the addition joins the kernel that goes on with them. Right because elementwise operations do the same to
 * every element, wherever it stands. Only where nothing else reads the result but slices that have no element in common, so that none is
 * computed twice.
 */
export const viewsFirst = everywhere("views first", (graph) => {
  for (let before = graph; ; ) {
    const after = movedOnce(before);
    if (after === before) return before;
    // What was moved past several operations is left behind at each.
    before = deadCode.run(after);
  }
});

function movedOnce(graph: Graph): Graph {
  const uses = useCounts(graph);
  const parts = takenApart(graph, uses);
  return rewritten(graph, (instruction, operands, builder) => {
    const [whole] = instruction.operands as [number];
    const moves = movesUp(instruction) && (uses[whole] === 1 || parts.has(whole));
    return (moves ? viewedOperands(graph, instruction, operands, builder) : null) ?? builder.keep(instruction, operands);
  });
}

// More views than the gates of a cell would be as many small kernels, where one large one was.
const MOST_PARTS = 8;

/** Values that only slices read, none of them an element that another reads. */
function takenApart({ instructions }: Graph, uses: Uint32Array): Set<number> {
  const slices = new Map<number, (readonly Range[])[]>();
  for (const { op, attributes, operands } of instructions) {
    if ((op as unknown) !== slice) continue;
    const [x] = operands as [number];
    const known = slices.get(x);
    if (known === undefined) slices.set(x, [rangesOf({ attributes })]);
    else known.push(rangesOf({ attributes }));
  }
  const apart = (all: readonly (readonly Range[])[]): boolean => all.every((p, k) => all.slice(0, k).every((q) => areApart(p, q)));
  return new Set([...slices].flatMap(([x, all]) => (all.length === uses[x] && all.length <= MOST_PARTS && apart(all) ? [x] : [])));
}

function viewedOperands(graph: Graph, view: Instruction, [x]: readonly number[], builder: GraphBuilder): readonly number[] | null {
  const made = builder.makers.get(x as number);
  const whole = builder.types[x as number];
  if (made?.op.kind !== "elementwise" || whole === undefined || whole.shape.length === 0) return null;
  // An element of a float32 array is a double: arithmetic on it would round otherwise.
  if (view.outputs.some((id) => graph.types[id]?.dtype !== whole.dtype)) return null;
  const shapeOf = (id: number) => builder.types[id]?.shape ?? [];
  const outputs = view.outputs.length;
  const parts = made.operands.map((id): readonly number[] => {
    if (shapeOf(id).length === 0) return new Array<number>(outputs).fill(id);
    const stretched = sameShape(shapeOf(id), whole.shape)
      ? id
      : (builder.emit(broadcastTo as never, { shape: whole.shape }, [id])[0] as number);
    return builder.emit(view.op, view.attributes, [stretched]);
  });
  return Array.from({ length: outputs }, (_, k) => {
    const operands = parts.map((part) => part[k] as number);
    return builder.emit(made.op, null, operands)[0] as number;
  });
}
