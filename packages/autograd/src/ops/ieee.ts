/** x to the power y as IEEE 754 has it: JavaScript's Math.pow gives NaN where 1 is raised to NaN, and ±1 to ±Infinity. */
export function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1;
  return Math.pow(x, y);
}
