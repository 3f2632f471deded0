import { InputError } from "../errors.js";
import type { Graph } from "./graph.js";
import { graphText, instructionCount } from "./graphText.js";
import { isLoop, type Loop } from "./loop.js";
import type { Machine, StepTime } from "./machine.js";
import type { LoopStep, PlainStep, Step } from "./step.js";

/** How many instructions a pass left. */
export interface PassRecord {
  readonly name: string;
  readonly before: number;
  readonly after: number;
}

/** What runs how in a program: for tests and for whoever asks why one is slow. Without WebAssembly everything is in `plain`, and the rest 0. */
export interface ProgramStats {
  /** Calls of fused elementwise kernels, copies among them; those in loops counted once. */
  readonly kernels: number;
  /** Calls of matrix products, those in loops counted once. */
  readonly products: number;
  /** The operations that have no kernel and run as they do eagerly, by name, one entry a call. */
  readonly plain: readonly string[];
  /** Floating-point operations of a run, loops counted step by step: two a multiply-add of a product, one an elementwise operation and element. */
  readonly flops: number;
  /**
   * Bytes of memory that the program needs; the host gives them in pages of 64 KB. Programs share memories, as large as
   * the largest of them needs; only one runs at a time.
   */
  readonly bytes: number;
  /**
   * Bytes of the values that must live at once at the worst moment: what no plan of the memory could go below. A matrix that is also packed
   * counts once. Scratch of kernels, and the 16 KB of constants of every program, count in `bytes` alone.
   */
  readonly live: number;
}

/** What a compiled function says of its program. */
export interface Inspectable {
  /**
   * The program of the last call as text: instructions before and after each pass, the instructions, the steps that run with the time that
   * each took in a run made for this (which changes no state), floating-point operations, and where in the memory what lies and when. If the
   * call was recorded and a gradient taken of it, the program that computed that follows. Throws InputError before the first call.
   */
  explain(): string;
  /** The program of the last call in figures, without that of its gradient. Throws InputError before the first call. */
  stats(): ProgramStats;
}

/** Of a function, by the program of its last call. */
export function inspectable(name: string, latest: () => Inspectable | null): Inspectable {
  const program = (): Inspectable => {
    const found = latest();
    if (found !== null) return found;
    throw new InputError(`compile: ${name} was not called yet, so there is no program; call it once`);
  };
  return { explain: () => program().explain(), stats: () => program().stats() };
}

export function statsOf(graph: Graph, machine: Machine | null): ProgramStats {
  if (machine === null) return { kernels: 0, products: 0, plain: operationsOf(graph), flops: 0, bytes: 0, live: 0 };
  const { steps } = machine;
  const leaves = leavesOf(steps);
  return {
    kernels: leaves.filter(({ kind }) => kind === "kernel").length,
    products: leaves.filter(({ kind }) => kind === "product").length,
    plain: leaves.flatMap((step) => (step.kind === "plain" ? [step.instruction.op.name] : [])),
    flops: flopsOf(steps),
    bytes: machine.bytes,
    live: machine.live,
  };
}

function operationsOf({ instructions }: Graph): string[] {
  return instructions.flatMap(({ op, attributes }) => (isLoop(op) ? operationsOf((attributes as Loop).body) : [op.name]));
}

function leavesOf(steps: readonly Step[]): Exclude<Step, LoopStep>[] {
  return steps.flatMap((step) => (step.kind === "loop" ? leavesOf(step.body) : [step]));
}

/** Floating-point operations of a run: two for each multiply-add of a product, one for each elementwise operation on an element. */
function flopsOf(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + (step.kind === "loop" ? step.frame.steps * flopsOf(step.body) : flopsOfStep(step)), 0);
}

function flopsOfStep(step: Exclude<Step, LoopStep>): number {
  if (step.kind === "product") return 2 * step.rows * step.columns * step.inner;
  if (step.kind !== "kernel") return 0;
  return step.spec.operations.length * step.counts.reduce((n, count) => n * count, 1);
}

/** A program as a person reads it. */
export function explained(name: string, graph: Graph, passes: readonly PassRecord[], machine: Machine | null): string {
  const stats = statsOf(graph, machine);
  const head = [
    `${name}: ${instructionCount(graph)} instructions`,
    ...passes.map(({ name: pass, before, after }) => `  ${pass}: ${before} -> ${after}`),
  ];
  if (machine === null) return [...head, "without WebAssembly: every operation on its plain kernel", graphText(graph)].join("\n");
  const times = new Map(machine.profile(clock).map((time) => [time.step as Step, time]));
  return [
    ...head,
    `${stats.kernels} fused kernels, ${stats.products} products, ${stats.plain.length} operations on plain kernels${plainText(stats.plain)}`,
    `${shortNumber(stats.flops)} floating-point operations a run; ${shortNumber(stats.bytes)} bytes of memory, ${shortNumber(stats.live)} must live at once`,
    "instructions:",
    graphText(graph, "  "),
    "steps, with the time of one run:",
    ...stepLines(machine.steps, times, "  ", { next: 0 }),
    "memory, by address: bytes, and the steps from and to which they are in use:",
    ...machine.plan.map(
      ({ address, bytes, from, to }) => `  ${address}: ${bytes} bytes, from ${from ?? "before the first"} to ${to ?? "after the last"}`,
    ),
  ].join("\n");
}

function clock(): number {
  return (globalThis as unknown as { performance: { now(): number } }).performance.now();
}

function plainText(plain: readonly string[]): string {
  return plain.length === 0 ? "" : `: ${[...new Set(plain)].join(", ")}`;
}

/** Numbered as in the plan of the memory. */
function stepLines(steps: readonly Step[], times: ReadonlyMap<Step, StepTime>, indent: string, number: { next: number }): string[] {
  return steps.flatMap((step) => {
    if (step.kind === "loop") {
      const body = stepLines(step.body, times, `${indent}  `, number);
      return [`${indent}${number.next++}. ${step.frame.steps} times${step.frame.reverse ? ", from the last to the first" : ""}:`, ...body];
    }
    const { time = 0, calls = 0 } = times.get(step) ?? {};
    const rate = time > 0 ? (flopsOfStep(step) * calls) / time / 1e6 : 0;
    return [
      `${indent}${number.next++}. ${stepText(step)}: ${time.toFixed(3)} ms in ${calls} calls${rate > 0 ? `, ${rate.toFixed(2)} GFLOP/s` : ""}`,
    ];
  });
}

function stepText(step: Exclude<Step, LoopStep>): string {
  switch (step.kind) {
    case "kernel": {
      const { operations, results, dtype, indexed } = step.spec;
      const moving = indexed === undefined ? "copy" : "gather";
      const what =
        operations.length === 0 ? moving : [...(indexed === undefined ? [] : ["scatter"]), ...operations.map(({ op }) => op)].join(" ");
      const reduced = results.flatMap(({ reduction }) => reduction ?? []);
      return `kernel ${dtype} [${step.counts.join(", ")}]: ${[what, ...reduced].join(" ")}`;
    }
    case "pack":
      return `pack [${step.inner}, ${step.columns}]`;
    case "product":
      return `${step.product} [${step.rows}, ${step.inner}] x [${step.inner}, ${step.columns}]`;
    case "plain":
      return plainStepText(step);
  }
}

function plainStepText({ instruction, operands }: PlainStep): string {
  return `plain ${instruction.op.name}(${operands.map(({ dtype, shape }) => `${dtype}[${shape.join(",")}]`).join(", ")})`;
}

function shortNumber(x: number): string {
  if (x < 1e3) return String(x);
  const unit = x < 1e6 ? [1e3, "thousand"] : x < 1e9 ? [1e6, "million"] : [1e9, "billion"];
  return `${(x / (unit[0] as number)).toPrecision(3)} ${unit[1]}`;
}
