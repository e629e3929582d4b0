/** The middle of some numbers, the upper one of two. Throws on none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((left, right) => left - right);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('expected at least one number');
  return middle;
}

/** The smallest number that this share of all do not exceed; 0..1. Throws on none. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((left, right) => left - right);
  const at = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
  if (at === undefined) throw new Error('expected at least one number');
  return at;
}
