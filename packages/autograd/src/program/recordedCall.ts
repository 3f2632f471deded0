import { isFloating } from "../dtype.js";
import type { ArrayAlgebra } from "../ops/algebra.js";
import { type ArrayType, toNdArray, toPayload } from "../ops/array.js";
import type { Linearization, StructuralOp } from "../ops/op.js";
import { floatingPositions } from "./graph.js";
import type { Program } from "./program.js";

type ProgramOp = StructuralOp<null> & Required<Pick<StructuralOp<null>, "vjp">>;

const positions = (list: readonly unknown[]): number[] => list.flatMap((x, k) => (x === null ? [] : [k]));

/** The operation that a program is: one node of the graph, whose derivatives are programs, too, of the same inputs. */
export function operationOf(program: Program): ProgramOp {
  const { graph, name } = program;
  const typeOf = (id: number): ArrayType => graph.types[id] as ArrayType;
  const floating = floatingPositions(graph, graph.inputs);
  const known = new WeakMap<Linearization<unknown, null>, unknown>();
  const operandsOf = <T>(at: Linearization<T, null>): T[] => graph.inputs.map((_, k) => at.operand(k));
  const cotangentsOf = <T>(m: ArrayAlgebra<T>, cotangents: readonly (T | null)[], at: Linearization<T, null>): T[] => {
    let found = known.get(at) as T[] | undefined;
    if (found === undefined) {
      const given = positions(cotangents);
      const seeds = given.map((k) => cotangents[k] as T);
      const gradient = program.gradient(given);
      program.noteGradient(gradient);
      program.expect(given);
      found = m.apply(gradient.operation, [...operandsOf(at), ...seeds], null);
      known.set(at, found);
    }
    return found;
  };
  return {
    kind: "structural",
    name,
    keeps: graph.inputs.map((_, operand) => ({ operand })),
    types: () => graph.outputs.map(typeOf),
    forward: (operands) => program.run(operands.map(toPayload)).map(toNdArray),
    vjp: (m, k, cotangents, at) => cotangentsOf(m, cotangents, at)[floating.indexOf(k)] as never,
    jvp: (m, tangents, at) => {
      const given = positions(tangents);
      const directions = given.map((k) => tangents[k] as never);
      const found = m.apply(program.tangent(given).operation, [...operandsOf(at), ...directions], null);
      let next = 0;
      return graph.outputs.map((id) => (isFloating(typeOf(id).dtype) ? (found[next++] ?? null) : null));
    },
  };
}

/** How calls are recorded: the operation, and the program that it runs. */
export interface RecordedCall {
  readonly operation: StructuralOp<null>;
  readonly forward: Program;
}

/**
 * The operation as which a call is recorded: its outputs are the program's, then what the gradient needs of it, from which the backward
 * program goes on. Where cotangents come of other outputs than those in `given`, which a caller does not know beforehand, the gradient is
 * computed from the inputs, and the next call expects those.
 */
export function recordedCall(program: Program, given: readonly number[], wanted: readonly number[]): RecordedCall {
  const { forward, backward, reads } = program.withGradient(given, wanted);
  const whole = operationOf(forward);
  const residuals = positions(forward.graph.outputs).slice(program.graph.outputs.length);
  const known = new WeakMap<Linearization<unknown, null>, unknown>();
  const operation: StructuralOp<null> = {
    ...whole,
    keeps: [...(whole.keeps ?? []), ...residuals.map((output) => ({ output }))],
    vjp: <T>(m: ArrayAlgebra<T>, k: number, cotangents: readonly (T | null)[], at: Linearization<T, null>) => {
      const came = positions(cotangents);
      if (came.join() !== given.join()) {
        program.expect(came.filter((output) => output < program.graph.outputs.length));
        return whole.vjp(m, k, cotangents, at);
      }
      let found = known.get(at) as T[] | undefined;
      if (found === undefined) {
        const operands = [
          ...reads.map((j) => at.operand(j)),
          ...residuals.map((j) => at.output(j)),
          ...given.map((j) => cotangents[j] as T),
        ];
        forward.noteGradient(backward);
        known.set(at, (found = m.apply(backward.operation, operands, null)));
      }
      return found[wanted.indexOf(k)] as never;
    },
  };
  return { operation, forward };
}
