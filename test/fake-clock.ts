import type { Clock } from '../src/batching/index.js';

/** Time that only the test moves. */
export interface FakeClock extends Clock {
  /** Moves it, and calls back what is due, in order. */
  advance(ms: number): void;
  /** Callbacks that still wait. */
  readonly waiting: number;
}

export function createFakeClock(): FakeClock {
  let now = 1000;
  const due = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  return {
    now: () => now,
    callAt(atMs, callback) {
      const entry = { atMs, callback };
      due.add(entry);
      return () => due.delete(entry);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...due]
          .filter(({ atMs }) => atMs <= end)
          .sort((left, right) => left.atMs - right.atMs);
        if (!next) break;
        due.delete(next);
        now = Math.max(now, next.atMs);
        next.callback();
      }
      now = end;
    },
    get waiting() {
      return due.size;
    },
  };
}
