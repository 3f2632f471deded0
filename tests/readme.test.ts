import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testExamples } from "./exampleSuite.js";
import { examplesIn } from "./examples.js";
import { ROOT } from "./publicNames.js";

const FILES = ["README.md", "CONTRIBUTING.md", "packages/autograd/README.md", "packages/rnn/README.md", "packages/rnn/docs/cells.md"];

const read = (file: string): string => (existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), "utf8") : "");
const examples = FILES.flatMap((file) => examplesIn(read(file), file));

test("README.md has examples", () => expect(examplesIn(read("README.md"), "README.md").length).toBeGreaterThan(0));
testExamples("pages", examples);
