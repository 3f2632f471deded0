import { fileURLToPath } from "node:url";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** `vitest run` checks a seeded sample; `vitest run --mode full` (or UNROLL_FULL=1) checks everything. */
export default defineConfig(({ mode }) => {
  // The projects read this file again without the mode, and the tests run in processes of their own: both see the variable.
  if (mode === "full") process.env["UNROLL_FULL"] = "1";
  const full = process.env["UNROLL_FULL"] === "1";
  const project = (name: string, root: string) => ({
    extends: true as const,
    test: { name, root: at(root), include: [name === "workspace" ? "*.test.ts" : "test/**/*.test.ts"] },
  });
  return {
    // The packages are tested from their sources: no build is needed.
    resolve: { conditions: ["source", ...defaultClientConditions] },
    ssr: { resolve: { conditions: ["source", ...defaultServerConditions] } },
    test: {
      setupFiles: [at("tests/setup/properties.ts")],
      execArgv: ["--expose-gc"],
      // One core is not left free: nobody works here while the tests run (on two cores 155 s instead of 242).
      maxWorkers: "100%",
      testTimeout: full ? 300_000 : 60_000,
      hookTimeout: full ? 300_000 : 60_000,
      reporters: [at("scripts/counts-reporter.ts")],
      coverage: { include: ["packages/*/src/**/*.ts"], reportsDirectory: at("coverage") },
      projects: [
        project("autograd", "packages/autograd"),
        project("rnn", "packages/rnn"),
        project("bench", "bench"),
        project("workspace", "tests"),
      ],
    },
  };
});
