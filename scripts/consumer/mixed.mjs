// Two copies of the package in one program, one by import and one by require: values of one are refused by the other, with one clear error.
import { createRequire } from "node:module";
import { AutogradError, param } from "@unroll/autograd";

const other = createRequire(import.meta.url)("@unroll/autograd");

try {
  param(1).add(other.param(2));
} catch (error) {
  if (!(error instanceof AutogradError)) throw error;
  console.log(`two copies are told apart: ${error.message}`);
  process.exit(0);
}
throw new Error("a Value of the CommonJS copy was taken by the ES module copy");
