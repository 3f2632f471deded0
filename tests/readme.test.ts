import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testExamples } from "./example-suite.js";
import { examplesIn, ROOT } from "./examples.js";

const path = join(ROOT, "README.md");
const examples = existsSync(path) ? examplesIn(readFileSync(path, "utf8"), "README.md") : [];

test("README.md has examples", () => expect(examples.length).toBeGreaterThan(0));
testExamples("readme", examples);
