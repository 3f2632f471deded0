/** What the report says about the data, beyond what is in it. */
export interface ReportSource {
  /** The heading of the report. */
  readonly title: string;
  /** What the values are, in words: the label of axes. */
  readonly quantity: string;
  readonly description: string;
  readonly origin: string;
  /** Null where it is not known, as with a user's own file. */
  readonly licence: string | null;
}
