/** How long one run of a worker may take. */
export interface RunPatienceOptions {
  /** The longest of all but the first of its size. */
  readonly mostMs: number;
  /** What the first of a session in a batch size is given. */
  readonly firstMs: number;
  /** What every run is given. */
  readonly leastMs: number;
}

/**
 * How many times its best a run may take. On a machine that others load twenty-fold a run is
 * late, not hung.
 */
const timesBest = 50;

/**
 * Learns what runs take, so that one that hangs is known long before the longest time of all.
 *
 * Behaviour: a session's first run in a batch size may compile for it and gets `firstMs`; the
 * next get 50 times the best so far, within the bounds.
 */
export class RunPatience {
  readonly #options: RunPatienceOptions;
  /** Milliseconds by session and batch size. */
  readonly #bestMs = new Map<number, Map<number, number>>();

  constructor(options: RunPatienceOptions) {
    this.#options = options;
  }

  ofRun(sessionId: number, batchSize: number): number {
    const { mostMs, firstMs, leastMs } = this.#options;
    const bestMs = this.#bestMs.get(sessionId)?.get(batchSize);
    return bestMs === undefined ? firstMs : Math.min(mostMs, Math.max(leastMs, timesBest * bestMs));
  }

  learn(sessionId: number, batchSize: number, runMs: number): void {
    const ofSession = this.#bestMs.get(sessionId) ?? new Map<number, number>();
    ofSession.set(batchSize, Math.min(runMs, ofSession.get(batchSize) ?? runMs));
    this.#bestMs.set(sessionId, ofSession);
  }

  forget(sessionId: number): void {
    this.#bestMs.delete(sessionId);
  }
}
