import wabt from "wabt";
import { GATES, type Kind, type Problem, type Size } from "./problem.js";
import { inTurn, type Training } from "./training.js";

/** Sums that are under way at the same time: enough to hide how long an addition takes, few enough for the sixteen registers. */
const SUMS = 12;
const LANES = 4;

/**
 * What no engine on 128-bit instructions that multiplies row by column can go below: as many multiply-adds as the products of a step have, in
 * registers, with one instruction each where the host has relaxed ones, else with two. Nothing of the network is computed, nothing is read or written.
 */
export async function trainingFloor(problem: Problem): Promise<Training> {
  const run = await multiplyAdds();
  const turns = Math.ceil(multiplyAddsOf(problem.kind, problem) / (SUMS * LANES));
  return {
    run: inTurn(() => {
      const sum = run(turns);
      if (sum !== SUMS) throw new Error(`the sums are ${sum}, expected ${SUMS}`);
    }),
    results: () => null,
  };
}

/**
 * Of all products that forward and backward cannot do without: of the inputs and the states with their weights, back through the states, and
 * the gradients of both weights. The first state is zero, and nobody asks for its gradient.
 */
export function multiplyAddsOf(kind: Kind, { hidden, batch, steps }: Size): number {
  return GATES[kind] * hidden ** 2 * batch * (2 * steps + 3 * (steps - 1));
}

type Sums = (turns: number) => number;

/** What is used of the global object, which the types of Node name only in part. */
interface Host {
  readonly WebAssembly: {
    validate(bytes: Uint8Array): boolean;
    instantiate(bytes: Uint8Array): Promise<{ readonly instance: { readonly exports: { readonly run: Sums } } }>;
  };
}

async function multiplyAdds(): Promise<Sums> {
  const tools = await wabt();
  const bytes = (fused: boolean) => tools.parseWat("floor.wat", source(fused), { simd: true, relaxed_simd: true }).toBinary({}).buffer;
  const { validate, instantiate } = (globalThis as unknown as Host).WebAssembly;
  const { instance } = await instantiate(validate(bytes(true)) ? bytes(true) : bytes(false));
  return instance.exports.run;
}

/** Each sum starts at 1 and stays there: s / 2 + 1 / 2. Every product depends on its sum, so that none can be left out. */
function source(fused: boolean): string {
  const sums = Array.from({ length: SUMS }, (_, k) => `$s${k}`);
  const next = (s: string) =>
    fused
      ? `(f32x4.relaxed_madd (local.get ${s}) (local.get $half) (local.get $half))`
      : `(f32x4.add (f32x4.mul (local.get ${s}) (local.get $half)) (local.get $half))`;
  return `(module
    (func (export "run") (param $turns i32) (result f32)
      ${["$half", ...sums].map((name) => `(local ${name} v128)`).join(" ")}
      (local.set $half (f32x4.splat (f32.const 0.5)))
      ${sums.map((s) => `(local.set ${s} (f32x4.splat (f32.const 1)))`).join("\n")}
      (loop $again
        ${sums.map((s) => `(local.set ${s} ${next(s)})`).join("\n")}
        (br_if $again (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
      ${sums.map((s) => `(f32x4.extract_lane 0 (local.get ${s}))`).reduce((x, y) => `(f32.add ${x} ${y})`)}))`;
}
