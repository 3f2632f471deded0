import { broadcastTo } from "../../ops/shapes.js";
import { sameShape } from "../../shape.js";
import { type Graph, type GraphBuilder, type Instruction, rewritten, useCounts } from "../graph.js";
import { isView } from "../location.js";
import { everywhere } from "./pass.js";

/** Broadcast first, elements would be computed several times. */
const movesUp = (instruction: Instruction): boolean => isView(instruction) && (instruction.op as unknown) !== broadcastTo;

/**
 * A view of an elementwise result becomes elementwise operations on views of the operands: the gates of a cell are taken apart before the
 * bias is added, not after, and the addition joins the kernel that goes on with them. Right because elementwise operations do the same to
 * every element, wherever it stands. Only where nothing else reads the result, so that no element is computed twice.
 */
export const viewsFirst = everywhere("views first", (graph) => {
  const uses = useCounts(graph);
  return rewritten(graph, (instruction, operands, builder) => {
    const moved =
      movesUp(instruction) && uses[instruction.operands[0] as number] === 1 ? viewedOperands(graph, instruction, operands, builder) : null;
    return moved ?? builder.keep(instruction, operands);
  });
});

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
