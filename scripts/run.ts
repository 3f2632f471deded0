import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Runs a command to its end and gives its standard output; a command that fails ends this script with what it said. */
export function run(command: string, args: readonly string[], cwd: string = ROOT): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", shell: process.platform === "win32" });
  if (status === 0) return stdout;
  console.error(`${command} ${args.join(" ")} (in ${cwd}) failed with ${error?.message ?? `exit code ${status}`}`);
  console.error([stdout, stderr].filter(Boolean).join("\n"));
  process.exit(1);
}

/** Runs a command of the workspace's own node_modules/.bin. */
export function runTool(name: string, args: readonly string[], cwd: string = ROOT): string {
  return run(`${ROOT}node_modules/.bin/${name}`, args, cwd);
}

/** Ends the script in red where there is anything to say. */
export function failWith(problems: readonly string[]): void {
  if (problems.length === 0) return;
  for (const problem of problems) console.error(problem);
  process.exit(1);
}
