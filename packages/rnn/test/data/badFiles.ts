/** What can be wrong with a file, and what the message must say. Columns are `day` and `level`, dates are asked for where `dated`. */
export interface BadFile {
  readonly what: string;
  readonly content: string | Buffer;
  readonly dated?: boolean;
  readonly message: RegExp;
}

export const BAD_FILES: readonly BadFile[] = [
  { what: "no column of that name", content: "day,height\n2015-01-01,1\n", message: /no column "level"; its columns are "day", "height"$/ },
  {
    what: "no date column of that name",
    content: "date,level\n2015-01-01,1\n",
    dated: true,
    message: /no column "day"; its columns are "date", "level"$/,
  },
  { what: "semicolons", content: "day;level\n2015-01-01;1\n", message: /no column "level".*\(cells must be separated by commas\)$/ },
  { what: "a column that is there twice", content: "level,level\n1,2\n", message: /two columns "level"/ },
  { what: "a text", content: "level\n1\nhigh\n", message: /line 3, column level: "high" is not a number/ },
  { what: "NaN", content: "level\n1\nNaN\n", message: /line 3, column level: "NaN" is not a number/ },
  { what: "Infinity", content: "level\nInfinity\n", message: /line 2, column level: "Infinity" is not a number/ },
  { what: "a number beyond all range", content: "level\n1e999\n", message: /line 2, column level: "1e999" is not a number/ },
  { what: "a number with a unit", content: "level\n12.5 m\n", message: /line 2, column level: "12.5 m" is not a number/ },
  { what: "hexadecimal", content: "level\n0x10\n", message: /"0x10" is not a number/ },
  { what: "a decimal comma", content: 'level\n"12,5"\n', message: /"12,5" is not a number; write decimals with a point/ },
  { what: "a text of several lines", content: 'level\n"a\nb"\n', message: /column level: "a\\nb" is not a number/ },
  { what: "a very long text", content: `level\n${"x".repeat(10_000)}\n`, message: /"x{40}…" is not a number/ },
  { what: "an empty cell", content: "day,level\na,1\nb,\nc,3\n", message: /line 3, column level: the cell is empty/ },
  { what: "a cell of spaces", content: "day,level\na,1\nb,   \nc,3\n", message: /line 3, column level: the cell is empty/ },
  { what: "an empty line between rows", content: "level\n1\n\n3\n", message: /line 3: the line is empty/ },
  { what: "a row with a cell too few", content: "day,level\na,1\nb\n", message: /line 3: expected 2 cells as in the first row, got 1/ },
  {
    what: "a row with a cell too many",
    content: "day,level\na,1\nb,2,3\n",
    message: /line 3: expected 2 cells as in the first row, got 3/,
  },
  { what: "an open quote", content: 'day,level\na,1\n"b,2\n', message: /is not a CSV file: .*quote/i },
  { what: "nothing", content: "", message: /is empty; expected a first row with the names of the columns/ },
  { what: "names only", content: "day,level\n", message: /has no rows/ },
  {
    what: "a date that is none",
    content: "day,level\n2015-01-01,1\nsoon,2\n",
    dated: true,
    message: /line 3, column day: "soon" is not a date/,
  },
  {
    what: "a day that does not exist",
    content: "day,level\n2015-02-29,1\n",
    dated: true,
    message: /line 2, column day: "2015-02-29" is not a date/,
  },
  { what: "an empty date", content: "day,level\n,1\n", dated: true, message: /line 2, column day: "" is not a date/ },
  {
    what: "a date that is there twice",
    content: "day,level\n2015-01-01,1\n2015-01-01,2\n",
    dated: true,
    message: /line 3, column day: the date 2015-01-01 is there twice/,
  },
  {
    what: "dates out of order",
    content: "day,level\n2015-01-02,1\n2015-01-01,2\n",
    dated: true,
    message: /line 3, column day: the date 2015-01-01 is earlier/,
  },
  {
    what: "bytes that are no text",
    content: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff, 0x0a, 0x22, 0x00]),
    message: /no column|not a CSV file/,
  },
];
