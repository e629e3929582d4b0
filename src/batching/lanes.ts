/** How many batches a lane may have: the one that runs, and one that runs next. */
const batchesPerLane = 2;

/**
 * What is with the engine: a lane for each batch that it can run at once.
 * Times are milliseconds on the clock of the Batcher.
 */
export class Lanes {
  readonly #count: number;
  /** When each batch with the engine is expected back. */
  readonly #batches = new Set<{ readonly endsAtMs: number }>();

  constructor(count: number) {
    this.#count = count;
  }

  /** Batches with the engine. */
  get batches(): number {
    return this.#batches.size;
  }

  /** Lanes without a batch. */
  get idle(): number {
    return Math.max(0, this.#count - this.#batches.size);
  }

  /** Whether one more batch may be handed over, to run when a lane is free. */
  get hasRoomAhead(): boolean {
    return this.#batches.size < this.#count * batchesPerLane;
  }

  /** When a batch that is handed over now would begin. */
  beginsAtMs(nowMs: number): number {
    const before = this.#batches.size - this.#count;
    if (before < 0) return nowMs;
    const ends = [...this.#batches].map(({ endsAtMs }) => endsAtMs).sort((a, b) => a - b);
    return Math.max(nowMs, ends[before] ?? nowMs);
  }

  /** Counts a batch that is expected to run for so long; what is returned takes it out again. */
  enter(nowMs: number, runMs: number): () => void {
    const batch = { endsAtMs: this.beginsAtMs(nowMs) + runMs };
    this.#batches.add(batch);
    return () => {
      this.#batches.delete(batch);
    };
  }
}
