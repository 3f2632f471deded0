/** A table as text: a title, a heading, rows. The first column is text, the others are numbers as a person reads them. */
export interface Table {
  readonly title: string;
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Three significant digits, never in exponents. */
export function digits(x: number): string {
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(x) || 1)));
  return x.toFixed(Math.min(places, 3));
}

export function duration(ns: number): string {
  if (Math.abs(ns) < 1e3) return `${digits(ns)} ns`;
  if (Math.abs(ns) < 1e6) return `${digits(ns / 1e3)} µs`;
  return Math.abs(ns) < 1e9 ? `${digits(ns / 1e6)} ms` : `${digits(ns / 1e9)} s`;
}
