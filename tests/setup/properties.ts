import fc from "fast-check";

/** One seed for every property, so that a red run can be repeated; `UNROLL_SEED=n` tries another. */
const seed = Number(process.env["UNROLL_SEED"] ?? 20_261_124);
const full = process.env["UNROLL_FULL"] === "1";

fc.configureGlobal({ seed, numRuns: full ? 1_000 : 50 });
