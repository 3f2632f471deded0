import type { Payload } from "../ops/array.js";
import type { StructuralOp } from "../ops/op.js";
import { Value } from "../tape/value.js";
import { gradientGraph, jointGraph, tangentGraph } from "./derivatives.js";
import { explained, type PassRecord, type ProgramStats, statsOf } from "./explain.js";
import { floatingPositions, type Graph } from "./graph.js";
import { instructionCount } from "./graphText.js";
import { outputsOf } from "./interpret.js";
import { detectFeatures } from "../wasm/features.js";
import { lower } from "./lower.js";
import { type Machine, machineFor } from "./machine.js";
import type { ProgramMemory } from "./memory.js";
import { partitioned } from "./partition.js";
import { FUSE, optimized } from "./passes/index.js";
import { operationOf, type RecordedCall, recordedCall } from "./recordedCall.js";

export interface ProgramOptions {
  /** Whether to run in WebAssembly, where the host has it. */
  readonly wasm: boolean;
  /** Names of the passes that run; all where left out. */
  readonly passes?: readonly string[] | undefined;
  /** No relaxed instructions, whose rounding depends on the processor. */
  readonly deterministic: boolean;
  /** Where the program runs; with others that never run at the same time. */
  readonly memory: ProgramMemory;
  /** How many of the first inputs stay in the memory between runs: the state of `bind`. */
  readonly kept: number;
  /** Outputs are views of the memory, valid until the next run. */
  readonly reuseOutputs: boolean;
}

/** A graph that can be run, and its derivatives, which are programs themselves and are made when they are first asked for. */
export class Program {
  readonly graph: Graph;
  readonly name: string;
  private readonly options: ProgramOptions;
  private readonly passes: readonly PassRecord[];
  private made: Machine | null | undefined;
  private asOperation: StructuralOp<null> | null = null;
  private expected: readonly number[] | null = null;
  private readonly calls = new Map<string, RecordedCall>();
  /** What ran last: this, or where a call was recorded the program that keeps what the gradient needs. */
  private latest: Program = this;
  /** What computed the gradient of the last run; null where there was none yet. */
  private latestGradient: Program | null = null;
  private readonly gradients = new Map<string, Program>();
  private readonly tangents = new Map<string, Program>();

  /** `earlier`: what passes have made of a graph that this one is part of. */
  constructor(graph: Graph, name: string, options: ProgramOptions, earlier: readonly PassRecord[] = []) {
    const { graph: result, records } = afterPasses(graph, options.passes);
    this.graph = result;
    this.passes = [...earlier, ...records];
    this.name = name;
    this.options = options;
  }

  /** null where there is no WebAssembly: then the graph runs on plain kernels. Made when it is first needed. */
  get machine(): Machine | null {
    if (this.made !== undefined) return this.made;
    const { wasm, passes, deterministic, memory, kept, reuseOutputs } = this.options;
    const { simd, relaxedMadd } = detectFeatures();
    const features = { simd, relaxedMadd: relaxedMadd && !deterministic };
    const fuse = passes === undefined || passes.includes(FUSE);
    this.made = wasm ? machineFor(() => lower(this.graph, { ...features, fuse, kept }), features, memory, reuseOutputs) : null;
    return this.made;
  }

  /** `asViews`: where outputs are reused at all; a graph would keep them. */
  run(inputs: readonly Payload[], asViews = false): Payload[] {
    this.show(this);
    this.noteGradient(null);
    // Before the machine is made, which may let the memory grow.
    const given = this.options.memory.apart(inputs);
    const { machine } = this;
    return machine === null ? outputsOf(this.graph, given) : machine.run(given, asViews && this.options.reuseOutputs);
  }

  /** Inputs as a graph may keep them: with copies of what lies in the memory of the program. */
  lasting(inputs: readonly Value[]): readonly Value[] {
    const payloads = inputs.map((x) => x.payload);
    const given = this.options.memory.apart(payloads);
    if (given === payloads) return inputs;
    return inputs.map((x, k) => (given[k] === x.payload ? x : new Value(x.origin, x.index, given[k] as Payload)));
  }

  private get derivedOptions(): ProgramOptions {
    return { ...this.options, kept: 0, reuseOutputs: false };
  }

  /** The program as one operation, whose derivatives compute what they need of it again. */
  get operation(): StructuralOp<null> {
    return (this.asOperation ??= operationOf(this));
  }

  /**
   * The operation as which a call is recorded where the inputs in `wanted` need gradients. It keeps what the gradient needs of it; its first
   * outputs are the program's.
   */
  recorded(wanted: readonly number[]): StructuralOp<null> {
    const given = (this.expected ??= floatingPositions(this.graph, this.graph.outputs));
    if (given.length === 0) return this.operation;
    const key = `${wanted.join()} ${given.join()}`;
    let call = this.calls.get(key);
    if (call === undefined) this.calls.set(key, (call = recordedCall(this, given, wanted)));
    this.show(call.forward);
    return call.operation;
  }

  /** Of which outputs cotangents came the last time: they will again; of none, where calls keep nothing. */
  expect(given: readonly number[]): void {
    this.expected = given;
  }

  /** Which program computes the gradient of what ran last: `explain()` shows that, too. */
  noteGradient(gradient: Program | null): void {
    if (gradient !== this.latestGradient) this.latestGradient?.forget();
    this.latestGradient = gradient;
  }

  private show(program: Program): void {
    if (program !== this.latest) this.latest.forget();
    this.latest = program;
  }

  /** Lets go of what runs were given: explain() runs the latest again, and shows no other. */
  forget(): void {
    this.made?.forget();
    this.latestGradient?.forget();
    if (this.latest !== this) this.latest.forget();
  }

  /** The program, and its gradient as a program that goes on from what the first one computed. */
  withGradient(given: readonly number[], wanted: readonly number[]): { forward: Program; backward: Program; reads: readonly number[] } {
    const { graph, name, derivedOptions } = this;
    const { graph: joint, records } = afterPasses(jointGraph(graph, given, wanted), derivedOptions.passes);
    const earlier = [...this.passes, ...records.map((record) => ({ ...record, name: `with its gradient, ${record.name}` }))];
    const { forward, backward, reads } = partitioned(joint, graph.inputs.length, graph.outputs.length);
    return {
      forward: new Program(forward, name, derivedOptions, earlier),
      backward: new Program(backward, `the gradient of ${name}`, derivedOptions, earlier),
      reads,
    };
  }

  stats(): ProgramStats {
    return statsOf(this.latest.graph, this.latest.machine);
  }

  explain(): string {
    const { name, graph, passes, machine, latestGradient } = this.latest;
    const text = explained(name, graph, passes, machine);
    return latestGradient === null ? text : `${text}\n\n${latestGradient.explain()}`;
  }

  /** Gives the cotangents of the floating inputs, from those of the outputs in `given`. */
  gradient(given: readonly number[]): Program {
    return derived(
      this.gradients,
      given,
      () =>
        new Program(
          gradientGraph(this.graph, given, floatingPositions(this.graph, this.graph.inputs)),
          `the gradient of ${this.name}`,
          this.derivedOptions,
        ),
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

/** A graph after the passes, and what each of them left. */
function afterPasses(graph: Graph, passes?: readonly string[]): { readonly graph: Graph; readonly records: readonly PassRecord[] } {
  let count = instructionCount(graph);
  const records: PassRecord[] = [];
  const result = optimized(graph, passes, ({ name }, before, after) => {
    const left = after === before ? count : instructionCount(after);
    records.push({ name, before: count, after: left });
    count = left;
  });
  return { graph: result, records };
}

function derived(known: Map<string, Program>, given: readonly number[], make: () => Program): Program {
  const key = given.join();
  let program = known.get(key);
  if (program === undefined) known.set(key, (program = make()));
  return program;
}
