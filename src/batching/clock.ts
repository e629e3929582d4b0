/** Time as the Batcher sees it: a collaborator, so that tests can hold it. */
export interface Clock {
  /** Milliseconds on the clock of `performance.now()`. */
  now(): number;
  /** Calls back once at or after `atMs`; returns what takes the call back. */
  callAt(atMs: number, callback: () => void): () => void;
}

/** Longest delay `setTimeout` takes; a longer one would fire at once. */
const maxTimeoutMs = 2 ** 31 - 1;

/** The clock of the process; its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  callAt(atMs, callback) {
    const delayMs = Math.min(maxTimeoutMs, Math.max(0, Math.ceil(atMs - performance.now())));
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
