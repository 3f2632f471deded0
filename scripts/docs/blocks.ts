/** Parts of a page that a script writes: what stands between `<!-- NAME … -->` and `<!-- /NAME -->`. */

function find(page: string, name: string): { start: number; end: number } {
  const open = new RegExp(`^<!-- ${name}\\b[^>]*-->\\n`, "m").exec(page);
  const end = page.indexOf(`<!-- /${name} -->`);
  if (open === null || end < open.index) throw new Error(`the page has no block <!-- ${name} --> … <!-- /${name} -->`);
  return { start: open.index + open[0].length, end };
}

export function block(page: string, name: string): string {
  const { start, end } = find(page, name);
  return page.slice(start, end);
}

export function withBlock(page: string, name: string, text: string): string {
  const { start, end } = find(page, name);
  return page.slice(0, start) + text + page.slice(end);
}
