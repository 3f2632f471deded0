import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../../src/data/dataError.js";
import { checkWritable, writeWhole } from "../../src/report/write.js";
import { temporaryFolder } from "../data/files.js";

const root = temporaryFolder();
let count = 0;
let folder = root;

beforeEach(() => {
  folder = join(root, String(count++));
  mkdirSync(folder);
});

describe("a report", () => {
  it("is written, over one that was there", async () => {
    const path = join(folder, "report.html");
    writeFileSync(path, "old");
    await writeWhole(path, "new");
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(readdirSync(folder)).toEqual(["report.html"]);
  });

  it("leaves nothing behind where it cannot be written", async () => {
    const path = join(folder, "report.html");
    mkdirSync(path);
    writeFileSync(join(path, "inside"), "");
    await expect(writeWhole(path, "new")).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(["report.html"]);
    expect(existsSync(join(path, "inside"))).toBe(true);
  });

  it("is refused beforehand where the folder is missing or is a file, or the name is a folder's", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(checkWritable(join(folder, "none", "report.html"), "none/report.html")).rejects.toThrow(
      /^none\/report\.html: there is no folder/,
    );
    await expect(checkWritable(join(folder, "file", "report.html"), "x")).rejects.toThrow(DataError);
    await expect(checkWritable(folder, "here")).rejects.toThrow(/^here is not a file/);
    await expect(checkWritable(join(folder, "report.html"), "x")).resolves.toBeUndefined();
    await expect(checkWritable(join(folder, "file"), "x")).resolves.toBeUndefined();
  });
});
