import type { Bounds, Priority, WhenFull } from '../queue/index.js';
import type { Clock } from './clock.js';
import type { DropReason } from './ticket.js';

export interface BatcherOptions extends Bounds {
  /** Batch sizes that are run, ascending; a batch is padded up to the next. @default [1, 2, 4, 8, 16, 32] */
  readonly batchSizes: readonly number[];
  /** Tickets that may wait; for one more another is shed, or it is refused with `overloaded`. @default 1024 */
  readonly maxQueuedFrames: number;
  /** Bytes of waiting tensors; the same happens for one more. @default 256 MiB */
  readonly maxQueuedBytes: number;
  /** Tickets of one stream that may wait; for its next its oldest is shed, or it is refused. @default 512 */
  readonly maxStreamFrames: number;
  /** Bytes of one stream's waiting tensors; the same happens. @default 128 MiB */
  readonly maxStreamBytes: number;
  /**
   * How long a batch may wait for company while the engine is free, in
   * milliseconds. @default 0: batches form while the engine is busy
   */
  readonly maxDelayMs: number;
}

/** @default as in BatcherOptions */
export const defaultBatcherOptions: BatcherOptions = Object.freeze({
  batchSizes: Object.freeze([1, 2, 4, 8, 16, 32]),
  maxQueuedFrames: 1024,
  maxQueuedBytes: 256 * 1024 * 1024,
  // Half of the whole: no stream can keep all others out.
  maxStreamFrames: 512,
  maxStreamBytes: 128 * 1024 * 1024,
  maxDelayMs: 0,
});

/** What a Ticket asks for beside its tensor. */
export interface SubmitOptions {
  readonly signal?: AbortSignal | undefined;
  /** On the clock of `performance.now()`; a Ticket without its row by then is rejected with `deadline`. */
  readonly deadlineAtMs?: number | undefined;
  /** @default 'normal' */
  readonly priority?: Priority | undefined;
  /** @default 'refuse' */
  readonly whenFull?: WhenFull | undefined;
  /** Tickets of one stream share a turn: streams take turns within a priority. */
  readonly streamId?: string | undefined;
  /**
   * Whether the caller itself tries again what failed with `not_ready`: it is then not run a
   * second time here. @default false
   */
  readonly isRetriedByCaller?: boolean | undefined;
}

/** One Ticket's share of a batch. */
export interface BatchedRow {
  /** float32, one per label. */
  readonly probabilities: Float32Array;
  /** How far the frame is from the training set; absent where the model does not say. */
  readonly distance?: number | undefined;
  /** Tickets in the batch, without padding. */
  readonly batchSize: number;
  /** From `submit` to the start of its run, in milliseconds. */
  readonly queueMs: number;
  readonly runMs: number;
}

/**
 * Runs a closed batch: uint8 `[batchSize, C, H, W]`, transferred there and handed back. Told the
 * highest priority of its Tickets and their latest deadline, `Infinity` where one has none.
 */
export type RunBatch = (
  input: Uint8Array,
  batchSize: number,
  wish: { readonly priority: Priority; readonly deadlineAtMs: number },
) => Promise<{
  readonly probabilities: Float32Array;
  /** One a row, where the model gives them. */
  readonly distances?: Float32Array | undefined;
  readonly input: Uint8Array;
  readonly runMs: number;
}>;

export interface BatcherCollaborators {
  readonly run: RunBatch;
  /** Runs that go on at the same time, from 1 up. @default 1 */
  readonly lanes?: number | undefined;
  /** What each batch size took when it was warmed, in milliseconds: where learning starts. */
  readonly warmRunMs?: ReadonlyMap<number, number> | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** Hears of each Ticket that was queued and left without a row. */
  readonly onDropped?: ((reason: DropReason) => void) | undefined;
  /** Hears of each run that succeeded. */
  readonly onRan?: ((batchSize: number, runMs: number) => void) | undefined;
}
