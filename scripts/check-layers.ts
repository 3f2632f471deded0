/** `pnpm check:layers`: no file imports what its layer may not. */
import { fileURLToPath } from "node:url";
import { LAYERS, layerViolations } from "./layers.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const violations = Object.entries(LAYERS).flatMap(([path, layers]) => layerViolations(root, path, layers));

for (const line of violations) console.error(line);
if (violations.length > 0) process.exit(1);
console.log("every import follows the layers");
