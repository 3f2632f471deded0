import { disturbancesText, keptText, type Provenance, roundsText } from "../provenance.js";
import type { Table } from "./cells.js";

/** A fragment of a page: the tables, and a line that says where they come from. */
export function markdownPage(tables: readonly Table[], provenance: Provenance): string {
  const { date, node, torch, cpu, cores, commit } = provenance;
  const source = `Measured on ${date.slice(0, 10)} at ${commit ?? "no commit"}: Node ${node}, ${torch === null ? "" : `PyTorch ${torch}, `}${cpu}, ${cores} cores, ${roundsText(provenance)}.${disturbancesText(provenance)}${keptText(provenance)}`;
  return [...tables.map(markdownTable), `${source}\n`].join("\n");
}

function markdownTable({ title, heading, rows }: Table): string {
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.trim()).join(" | ")} |`;
  const under = `| ${heading.map((_, column) => (column === 0 ? "---" : "---:")).join(" | ")} |`;
  const lines = rows.map((row) => line(headsOthers(row) ? [`**${row[0]}**`, ...row.slice(1)] : row));
  return `**${title}**\n\n${[line(heading), under, ...lines].join("\n")}\n`;
}

/** The row of a case: it has no numbers, and is not indented as the rows of its variants are. */
function headsOthers([first, ...others]: readonly string[]): boolean {
  return first?.startsWith(" ") === false && others.every((cell) => cell === "");
}
