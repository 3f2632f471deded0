/** The README's table of speed, taken from what `pnpm --filter bench start` wrote. */

interface Timed {
  readonly title: string;
  readonly unit: "node" | "call" | "loss";
  /** By variant, one measurement a round; times in ns. */
  readonly rounds: Readonly<Partial<Record<string, readonly { readonly both: number }[]>>>;
}

/** What the table needs of bench/results/latest.json. */
export interface BenchResults {
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly commit: string | null;
  readonly rounds: number;
  readonly timed: readonly Timed[];
  readonly targets: readonly {
    readonly what: string;
    readonly unit: string;
    readonly measured: number;
    readonly bound: number;
    readonly reached: boolean;
  }[];
}

export function speedSection(results: BenchResults | null): string {
  if (results === null) return "`pnpm --filter bench start` writes the figures; it has not been run yet.\n";
  const { timed, date, node, cpu, cores, commit, rounds } = results;
  return [
    "| Scalars: ns a node, forward and backward | @unroll/autograd | raw columns | by hand | closures |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...timed
      .filter(({ unit }) => unit === "node")
      .map((t) =>
        row(
          t.title,
          ["engine", "yardstick", "handwritten", "closures"].map((v) => of(t, v, digits)),
        ),
      ),
    "",
    "| Arrays: time of a call | @unroll/autograd | bare loop | ratio |",
    "| --- | ---: | ---: | ---: |",
    ...timed
      .filter(({ unit }) => unit === "call")
      .map((t) => row(t.title, [of(t, "engine", duration), of(t, "loop", duration), ratio(t, "engine", "loop")])),
    "",
    targetsOf(results),
    "",
    `Medians of ${rounds} rounds at commit ${commit ?? "unknown"}, ${date.slice(0, 10)}: Node ${node}, ${cpu}, ${cores} cores.`,
    "",
  ].join("\n");
}

/** Says what was not reached; silence would be a claim. */
function targetsOf({ targets }: BenchResults): string {
  const missed = targets.filter(({ reached }) => !reached);
  if (missed.length === 0) return `All ${targets.length} targets of the bench were reached.`;
  const named = missed.map(({ what, measured, bound }) => `${what} (${digits(measured)}, target ${bound})`);
  return `${targets.length - missed.length} of ${targets.length} targets of the bench were reached; not reached: ${named.join("; ")}.`;
}

const row = (title: string, cells: readonly string[]): string => `| ${title} | ${cells.join(" | ")} |`;

function of({ rounds }: Timed, variant: string, show: (ns: number) => string): string {
  const measured = rounds[variant];
  return measured === undefined || measured.length === 0 ? "" : show(median(measured.map(({ both }) => both)));
}

/** The median of the rounds' own ratios: slow phases of the machine meet both. */
function ratio({ rounds }: Timed, variant: string, base: string): string {
  const [above, below] = [rounds[variant], rounds[base]];
  if (above === undefined || below === undefined || above.length === 0) return "";
  return digits(median(above.map(({ both }, k) => both / below[k]!.both)));
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Two or three significant digits, never an exponent. */
function digits(x: number): string {
  return x >= 100 ? x.toFixed(0) : x.toFixed(x >= 10 ? 1 : 2);
}

function duration(ns: number): string {
  if (ns < 1e3) return `${digits(ns)} ns`;
  return ns < 1e6 ? `${digits(ns / 1e3)} µs` : `${digits(ns / 1e6)} ms`;
}
