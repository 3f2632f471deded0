import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** `pnpm test:browser`: the built ESM files in Chromium. It needs `pnpm build`, so it stands apart from `pnpm test`. */
export default defineConfig({
  test: {
    name: "browser",
    root: fileURLToPath(new URL("tests/browser", import.meta.url)),
    include: ["*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: [fileURLToPath(new URL("scripts/counts-reporter.ts", import.meta.url))],
  },
});
