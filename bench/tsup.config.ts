import { defineConfig } from "tsup";

/** File by file: what is measured is what was written, and no process loads more than its own case. */
export default defineConfig({
  entry: ["src/**/*.ts"],
  format: "esm",
  target: "es2022",
  bundle: false,
  clean: true,
  silent: true,
});
