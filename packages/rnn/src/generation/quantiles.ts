/** Intervals from simulated futures. */
import { InputError, type Shape, stack, type Value, value } from "@unroll/autograd";

/** Throws InputError where so many futures cannot tell an interval of that level. Internal. */
export function checkQuantiles(op: string, level: number, paths: number): void {
  if (!(level > 0 && level < 1)) throw new InputError(`${op}: level is a share between 0 and 1, got ${String(level)}`);
  const least = Math.ceil(2 / (1 - level) - 1e-9);
  if (!Number.isInteger(paths) || paths < least)
    throw new InputError(`${op}: paths is a whole number, at least ${least} for a level of ${level}, got ${String(paths)}`);
}

/**
 * Per horizon and element of an output, the quantiles (1 ± level) / 2 of its futures. `futures` has one Value a horizon, of shape
 * [B · paths, …], all futures of a sequence together; `shape` is that of an output, [B, …]. Internal.
 */
export function quantileInterval(futures: readonly Value[], shape: Shape, level: number): [lower: Value, upper: Value] {
  const batch = shape[0]!;
  const width = shape.slice(1).reduce((x, y) => x * y, 1);
  const ends = futures.map(({ data, shape: [rows] }) => {
    const paths = rows! / batch;
    const [lower, upper] = [new Float64Array(batch * width), new Float64Array(batch * width)];
    for (let k = 0; k < lower.length; k++) {
      const [b, j] = [Math.floor(k / width), k % width];
      const sorted = Float64Array.from({ length: paths }, (_, p) => data[(b * paths + p) * width + j]!).sort();
      lower[k] = quantile(sorted, (1 - level) / 2);
      upper[k] = quantile(sorted, (1 + level) / 2);
    }
    return [value(lower, { shape }), value(upper, { shape })] as const;
  });
  return [stack(ends.map(([lower]) => lower)), stack(ends.map(([, upper]) => upper))];
}

/** Type 6: a further draw falls below the quantile p with probability p, whatever the distribution. */
function quantile(sorted: Float64Array, p: number): number {
  const place = Math.min(Math.max(p * (sorted.length + 1) - 1, 0), sorted.length - 1);
  const below = Math.floor(place);
  const x = sorted[below]!;
  const y = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return x === y ? x : x + (place - below) * (y - x);
}
