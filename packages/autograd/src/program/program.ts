import { isFloating } from "../dtype.js";
import type { ArrayAlgebra } from "../ops/algebra.js";
import { type ArrayType, type Payload, toNdArray, toPayload } from "../ops/array.js";
import type { Linearization, StructuralOp } from "../ops/op.js";
import { gradientGraph, tangentGraph } from "./derivatives.js";
import { explained, type PassRecord, type ProgramStats, statsOf } from "./explain.js";
import type { Graph } from "./graph.js";
import { instructionCount } from "./graphText.js";
import { outputsOf } from "./interpret.js";
import { detectFeatures } from "../wasm/features.js";
import { lower } from "./lower.js";
import { type Machine, machineFor } from "./machine.js";
import type { ProgramMemory } from "./memory.js";
import { FUSE, optimized } from "./passes/index.js";

export interface ProgramOptions {
  /** Whether to run in WebAssembly, where the host has it. */
  readonly wasm: boolean;
  /** Names of the passes that run; all where left out. */
  readonly passes?: readonly string[] | undefined;
  /** No relaxed instructions, whose rounding depends on the processor. */
  readonly deterministic: boolean;
  /** Where the program runs; with others that never run at the same time. */
  readonly memory: ProgramMemory;
  /** Outputs are views of the memory, valid until the next run. */
  readonly reuseOutputs: boolean;
}

/** A graph that can be run, and its derivatives, which are programs themselves and are made when they are first asked for. */
export class Program {
  readonly graph: Graph;
  readonly name: string;
  /** null where there is no WebAssembly: then the graph runs on plain kernels. */
  readonly machine: Machine | null;
  private readonly options: ProgramOptions;
  private readonly passes: PassRecord[] = [];
  private asOperation: StructuralOp<null> | null = null;
  private readonly gradients = new Map<string, Program>();
  private readonly tangents = new Map<string, Program>();

  constructor(graph: Graph, name: string, options: ProgramOptions) {
    const { wasm, passes, deterministic, memory, reuseOutputs } = options;
    this.graph = optimized(graph, passes, ({ name: pass }, before, after) => {
      this.passes.push({ name: pass, before: instructionCount(before), after: instructionCount(after) });
    });
    this.name = name;
    this.options = options;
    const { simd, relaxedMadd } = detectFeatures();
    const features = { simd, relaxedMadd: relaxedMadd && !deterministic };
    const fuse = passes === undefined || passes.includes(FUSE);
    this.machine = wasm ? machineFor(() => lower(this.graph, { ...features, fuse }), features, memory, reuseOutputs) : null;
  }

  run(inputs: readonly Payload[]): Payload[] {
    return this.machine === null ? outputsOf(this.graph, inputs) : this.machine.run(inputs);
  }

  private get derivedOptions(): ProgramOptions {
    return { ...this.options, reuseOutputs: false };
  }

  /** The program as one operation, as which its calls are recorded. */
  get operation(): StructuralOp<null> {
    return (this.asOperation ??= operationOf(this));
  }

  stats(): ProgramStats {
    return statsOf(this.graph, this.machine);
  }

  explain(): string {
    return explained(this.name, this.graph, this.passes, this.machine);
  }

  /** Gives the cotangents of the floating inputs, from those of the outputs in `given`. */
  gradient(given: readonly number[]): Program {
    return derived(
      this.gradients,
      given,
      () => new Program(gradientGraph(this.graph, given), `the gradient of ${this.name}`, this.derivedOptions),
    );
  }

  /** Gives the tangents of the floating outputs, from those of the inputs in `given`. */
  tangent(given: readonly number[]): Program {
    return derived(
      this.tangents,
      given,
      () => new Program(tangentGraph(this.graph, given), `the tangent of ${this.name}`, this.derivedOptions),
    );
  }
}

function derived(known: Map<string, Program>, given: readonly number[], make: () => Program): Program {
  const key = given.join();
  let program = known.get(key);
  if (program === undefined) known.set(key, (program = make()));
  return program;
}

const positions = (list: readonly unknown[]): number[] => list.flatMap((x, k) => (x === null ? [] : [k]));

/** The operation that a program is: one node of the graph, whose derivatives are programs, too. */
function operationOf(program: Program): StructuralOp<null> {
  const { graph, name } = program;
  const typeOf = (id: number): ArrayType => graph.types[id] as ArrayType;
  const floating = graph.inputs.flatMap((id, k) => (isFloating(typeOf(id).dtype) ? [k] : []));
  const known = new WeakMap<Linearization<unknown, null>, unknown>();
  const operandsOf = <T>(at: Linearization<T, null>): T[] => graph.inputs.map((_, k) => at.operand(k));
  const cotangentsOf = <T>(m: ArrayAlgebra<T>, cotangents: readonly (T | null)[], at: Linearization<T, null>): T[] => {
    let found = known.get(at) as T[] | undefined;
    if (found === undefined) {
      const given = positions(cotangents);
      const seeds = given.map((k) => cotangents[k] as T);
      found = m.apply(program.gradient(given).operation, [...operandsOf(at), ...seeds], null);
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
