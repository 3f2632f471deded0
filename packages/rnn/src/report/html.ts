/** Text as HTML, and the few pieces of a page that repeat. */

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A text that came from outside, harmless in content and in attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Data for a script element of type application/json, which nothing in the data can end. */
export function embeddedJson(data: unknown): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

/** A table whose first column names the row. Cells are text, not HTML. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], rowClasses: readonly string[] = []): string {
  const headCells = head.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join("");
  const body = rows.map(([title, ...cells], i) => {
    const data = cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("");
    return `<tr class="${rowClasses[i] ?? ""}"><th scope="row">${escapeHtml(title ?? "")}</th>${data}</tr>`;
  });
  return `<div class="table"><table><thead><tr>${headCells}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}

/** A plot that the page's script draws, with a caption. The label says in words what it shows, for those who do not see it. */
export function figure(id: string, label: string, caption: string): string {
  return `<figure><div class="plot" id="${id}" role="img" aria-label="${escapeHtml(label)}"></div><figcaption>${caption}</figcaption></figure>`;
}
