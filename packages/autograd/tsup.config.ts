import { defineConfig, type Options } from "tsup";
import { commonJsTwins } from "../../scripts/commonjs-twins.js";

const shared: Options = {
  entry: {
    index: "src/index.ts",
    "optim/index": "src/optim/index.ts",
    "inspect/index": "src/inspect/index.ts",
    "compile/index": "src/program/index.ts",
    "random/index": "src/random/index.ts",
  },
  tsconfig: "src/tsconfig.json",
};

export default defineConfig([
  { ...shared, format: "esm", target: "es2022", splitting: true, sourcemap: true, plugins: [commonJsTwins()] },
  { ...shared, format: ["esm", "cjs"], dts: { only: true, compilerOptions: { ignoreDeprecations: "6.0" } } },
]);
