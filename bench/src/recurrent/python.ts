/** A Python process that answers each line of JSON on stdin with one on stdout. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

/** UNROLL_PYTHON, or else what the system has. */
function python(): string {
  return process.env["UNROLL_PYTHON"] ?? "python3";
}

const WHAT_TORCH_IS = "import torch; print(torch.__version__, torch.backends.cpu.get_cpu_capability())";

interface Torch {
  readonly version: string;
  /** The widest that it uses here: "AVX512", "AVX2". */
  readonly instructions: string;
}

let there: { readonly torch: Torch | null } | null = null;

/** The PyTorch that this Python has; null where it has none. Asked once: to import torch takes more than a second. */
export function torchThere(): Torch | null {
  return (there ??= { torch: askedForTorch() }).torch;
}

function askedForTorch(): Torch | null {
  const { status, stdout } = spawnSync(python(), ["-c", WHAT_TORCH_IS], { encoding: "utf8" });
  if (status !== 0) return null;
  const [version = "", instructions = ""] = stdout.trim().split(" ");
  return { version, instructions };
}

/** Why PyTorch is not measured; null where it is there. */
export function torchAbsent(): string | null {
  return torchThere() === null ? `not measured: ${python()} has no torch (UNROLL_PYTHON names another Python)` : null;
}

/** Why PyTorch held to AVX2 is not measured; null where there is one that would use more. */
export function torchNotHeld(): string | null {
  const absent = torchAbsent();
  if (absent !== null) return absent;
  return torchThere()?.instructions === "AVX512" ? null : "not measured: PyTorch uses nothing wider here";
}

export type InstructionSet = "avx2";

/** What holds PyTorch to an instruction set: its own kernels, MKL's and oneDNN's. */
const HELD: Readonly<Record<InstructionSet, Readonly<Record<string, string>>>> = {
  avx2: { ATEN_CPU_CAPABILITY: "avx2", MKL_ENABLE_INSTRUCTIONS: "AVX2", ONEDNN_MAX_CPU_ISA: "AVX2" },
};

export interface PythonProcess {
  /** Throws what Python printed where it ended instead of answering. */
  ask(request: object): Promise<unknown>;
  close(): void;
}

export function startPython(script: string, held?: InstructionSet): PythonProcess {
  const env = held === undefined ? process.env : { ...process.env, ...HELD[held] };
  const child = spawn(python(), [script], { stdio: ["pipe", "pipe", "pipe"], env });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  // A process that has ended is seen by the answer that does not come.
  child.stdin.on("error", () => {});
  const failed = new Promise<never>((_, reject) => {
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`${script} ended with ${code}\n${errors}`)));
  });
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const answer = lines.next().then(({ done, value }) => (done === true ? failed : (JSON.parse(value) as unknown)));
      return Promise.race([answer, failed]);
    },
    close: () => child.stdin.end(),
  };
}
