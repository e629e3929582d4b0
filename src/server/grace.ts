/** What closing the engine, the workers and the files takes at most where nothing hangs. */
const mostMs = 1000;

/**
 * The part of a grace period that is left for closing what served, once calls and runs are
 * over: a fifth, at most a second. So the whole shutdown ends within the period.
 */
export function closingTimeMs(graceMs: number): number {
  return Math.min(mostMs, graceMs / 5);
}
