/** A Python process that answers each line of JSON on stdin with one on stdout. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

/** UNROLL_PYTHON, or else what the system has. */
function python(): string {
  return process.env["UNROLL_PYTHON"] ?? "python3";
}

/** The version of PyTorch that this Python has; null where it has none, or where there is no Python. */
export function torchVersion(): string | null {
  const { status, stdout } = spawnSync(python(), ["-c", "import torch; print(torch.__version__)"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** Why PyTorch is not measured; null where it is there. */
export function torchAbsent(): string | null {
  return torchVersion() === null ? `not measured: ${python()} has no torch (UNROLL_PYTHON names another Python)` : null;
}

export interface PythonProcess {
  /** Throws what Python printed where it ended instead of answering. */
  ask(request: object): Promise<unknown>;
  close(): void;
}

export function startPython(script: string): PythonProcess {
  const child = spawn(python(), [script], { stdio: ["pipe", "pipe", "pipe"] });
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
