import type { Table } from "./cells.js";

export function terminalTable({ title, heading, rows }: Table): string {
  const widths = heading.map((_, column) => Math.max(...[heading, ...rows].map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd();
  return [title, line(heading), ...rows.map(line), ""].join("\n");
}
