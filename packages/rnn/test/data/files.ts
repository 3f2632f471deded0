/** Files for tests, in a folder that goes away with them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A fresh folder, removed after the tests of the file that asks for it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "unroll-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file of the given name and gives its path. */
export function fileIn(folder: string, name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A CSV file of days from 2011-01-01 on, with a yearly wave as values: made, not measured. */
export function wavyDays(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const day = new Date(Date.UTC(2011, 0, 1 + i)).toISOString().slice(0, 10);
    const value = 10 + 8 * Math.sin((2 * Math.PI * i) / 365.25) + 2 * Math.sin(1.7 * i) + Math.cos(0.3 * i * i);
    return `${day},${value.toFixed(3)}`;
  });
  return `day,level\n${lines.join("\n")}\n`;
}
