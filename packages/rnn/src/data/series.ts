/** One column of a table, in order of time. */
export interface Series {
  /** The file, as the user named it. */
  readonly file: string;
  /** The column. */
  readonly name: string;
  /** What the values are measured in, such as "°C"; empty where the file does not say. */
  readonly unit: string;
  readonly values: Float64Array;
  /** The day of each value, strictly increasing (see calendar.ts); null for a series without dates. */
  readonly days: Int32Array | null;
}

/** What one row stands for: "day" where every row is the day after the row before it, else "row". */
export function rowNoun({ days }: Pick<Series, "days">): "day" | "row" {
  if (days === null) return "row";
  for (let i = 1; i < days.length; i++) if (days[i]! - days[i - 1]! !== 1) return "row";
  return "day";
}
