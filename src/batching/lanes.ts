/** How many batches a lane may have: the one that runs, and one that runs next. */
const batchesPerLane = 2;

/**
 * What is with the engine: a lane for each batch that it can run at once.
 * Times are milliseconds on the clock of the Batcher.
 */
export class Lanes {
  readonly #count: number;
  /** In the order in which they were handed over, which is that in which they run. */
  readonly #batches = new Set<LaneBatch>();

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
    if (this.idle > 0) return nowMs;
    const ends: number[] = [];
    for (const { beganAtMs, runMs } of this.#batches) {
      // Those that run come first; the others take the lane that is free first.
      if (beganAtMs !== null) ends.push(Math.max(nowMs, beganAtMs + runMs));
      else ends.push((ends.shift() ?? nowMs) + runMs);
      ends.sort((one, other) => one - other);
    }
    return ends[0] ?? nowMs;
  }

  /**
   * Counts a batch that is expected to run for so long; what is returned takes it out again,
   * when it has come back, and the next begins.
   */
  enter(nowMs: number, runMs: number): (nowMs: number) => void {
    const batch: LaneBatch = { runMs, beganAtMs: this.idle > 0 ? nowMs : null };
    this.#batches.add(batch);
    return (leftAtMs) => {
      this.#batches.delete(batch);
      for (const next of this.#batches) {
        if (next.beganAtMs !== null) continue;
        next.beganAtMs = leftAtMs;
        return;
      }
    };
  }
}

interface LaneBatch {
  readonly runMs: number;
  /** Null while it waits for a lane. */
  beganAtMs: number | null;
}
