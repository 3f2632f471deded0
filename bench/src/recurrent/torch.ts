import { fileURLToPath } from "node:url";
import { flatResults, mapParams, type Params, type Problem } from "./problem.js";
import { type InstructionSet, startPython } from "./python.js";
import type { Training } from "./training.js";

// Python is not compiled: the script runs where it was written.
const SCRIPT = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./torchSteps.py" : "../../src/recurrent/torchSteps.py", import.meta.url),
);

/** PyTorch's fused layers on one thread, in a process that takes its own times; with all that the processor has, or held to less. */
export async function trainingOnTorch({ params, inputs, targets, ...sizes }: Problem, held?: InstructionSet): Promise<Training> {
  const load = {
    do: "load",
    ...sizes,
    params: mapParams((name) => encoded(params[name])),
    inputs: encoded(inputs),
    targets: encoded(targets),
  };
  const started = now();
  const { ask, close } = startPython(SCRIPT, held);
  await ask(load);
  let whole: number | null = null;
  return {
    async run(count) {
      const { ms, end, loading } = (await ask({ do: "run", count })) as Run;
      // The end of the first step, however many others came after it.
      whole ??= end - started - loading - ms.slice(1).reduce((sum, x) => sum + x, 0);
      return ms;
    },
    async results() {
      const { loss, gradients } = (await ask({ do: "results" })) as { readonly loss: number; readonly gradients: Params<string> };
      return flatResults(
        loss,
        mapParams((name) => decoded(gradients[name])),
      );
    },
    whole: () => whole!,
    close,
  };
}

interface Run {
  readonly ms: number[];
  /** Wall clock after the last of them. */
  readonly end: number;
  /** What reading the data took. */
  readonly loading: number;
}

/** Milliseconds on the wall clock, which processes share. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function encoded({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

function decoded(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
}
