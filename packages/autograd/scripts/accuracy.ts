/**
 * The largest errors of the vector arithmetic, over the points of the tests or more of them, in whatever Node runs this:
 * tsx scripts/accuracy.ts [float32 points per function]
 */
import { NAMES, TOLERANCE, worstError } from "../test/wasm/accuracy.js";
import { scalar, vector } from "../test/wasm/kernels.js";
import { detectFeatures } from "../src/wasm/features.js";

const count = Number(process.argv[2] ?? 200_000);
const seed = Number(process.argv[3] ?? 1);

for (const dtype of ["float32", "float64"] as const) {
  const forms = [scalar(dtype), vector(dtype), ...(detectFeatures().relaxedMadd ? [vector(dtype, true)] : [])];
  for (const form of forms) {
    for (const name of NAMES) {
      const { error, x, got, exact } = worstError(name, form, count, seed);
      const kind = form.lanes === 1 ? "scalar" : form.relaxedMadd ? "vector, relaxed" : "vector";
      console.log(`${dtype} ${kind} ${name}: ${error.toPrecision(3)} of ${TOLERANCE[dtype]} at ${x} (${got}, exact ${exact})`);
      if (!(error <= TOLERANCE[dtype])) process.exitCode = 1;
    }
  }
}
