/** Which Tickets run first when more wait than the engine can take. */
export type Priority = 'high' | 'normal' | 'low';

export interface BatcherOptions {
  /** Batch sizes that are run, ascending; a batch is padded up to the next. @default [1, 2, 4, 8, 16, 32] */
  readonly batchSizes: readonly number[];
  /** Tickets that may wait; one more is refused with `overloaded`. @default 1024 */
  readonly maxQueuedFrames: number;
  /** Bytes of waiting tensors; one more is refused with `overloaded`. @default 256 MiB */
  readonly maxQueuedBytes: number;
  /**
   * How long a batch may wait for company while the engine is free, in
   * milliseconds. @default 0: batches form while the engine is busy
   */
  readonly maxDelayMs: number;
}

/** What a Ticket asks for beside its tensor. */
export interface SubmitOptions {
  readonly signal?: AbortSignal | undefined;
  /** On the clock of `performance.now()`; a Ticket that is not run by then is rejected with `deadline`. */
  readonly deadlineAtMs?: number | undefined;
  readonly priority?: Priority | undefined;
  /** Tickets of one stream share a turn: streams take turns within a priority. */
  readonly streamId?: string | undefined;
}

/** One Ticket's share of a batch. */
export interface BatchedRow {
  /** float32, one per label. */
  readonly probabilities: Float32Array;
  /** Tickets in the batch, without padding. */
  readonly batchSize: number;
  readonly queueMs: number;
  readonly runMs: number;
}

/** Gathers tensors from all streams into batches and runs them one at a time. */
export interface Batcher {
  /**
   * Queues one tensor, uint8 of the fixed `[C, H, W]` length; copied into a batch
   * when the batch closes. Settles exactly once.
   *
   * Throws `overloaded`, `cancelled`, `deadline`, `draining`, or what the run threw.
   */
  submit(pixels: Uint8Array, options?: SubmitOptions): Promise<BatchedRow>;
  readonly queuedFrames: number;
  readonly queuedBytes: number;
  /** Refuses new Tickets, lets the waiting ones finish. Idempotent. */
  close(): Promise<void>;
}
