import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Runs a script of this folder in a process of its own; gives the one message that it sends. */
export function messageOf<T>(script: string, args: readonly string[]): Promise<T> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = fork(path, [...args], { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let message: { readonly content: T } | null = null;
    let errors = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.on("message", (content) => {
      message = { content: content as T };
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0 && message !== null) resolve(message.content);
      else reject(new Error(`${script} ${args.join(" ")} ended with ${signal ?? code}\n${errors}`));
    });
  });
}
