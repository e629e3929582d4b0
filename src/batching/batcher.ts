import { DomainError } from '../errors.js';
import { BatchInputs } from './batch-inputs.js';
import { type Clock, systemClock } from './clock.js';
import { FairQueue } from './fair-queue.js';
import { chooseBatch, RunTime } from './run-time.js';
import { createTicket, type DropReason, expired, type Ticket } from './ticket.js';

/** Which Tickets run first when more wait than the engine can take. */
export type Priority = 'high' | 'normal' | 'low';

export interface BatcherOptions {
  /** Batch sizes that are run, ascending; a batch is padded up to the next. @default [1, 2, 4, 8, 16, 32] */
  readonly batchSizes: readonly number[];
  /** Tickets that may wait; for one more another is shed, or it is refused with `overloaded`. @default 1024 */
  readonly maxQueuedFrames: number;
  /** Bytes of waiting tensors; the same happens for one more. @default 256 MiB */
  readonly maxQueuedBytes: number;
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
  maxDelayMs: 0,
});

/** What a Ticket asks for beside its tensor. */
export interface SubmitOptions {
  readonly signal?: AbortSignal | undefined;
  /** On the clock of `performance.now()`; a Ticket without its row by then is rejected with `deadline`. */
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

/** Runs a closed batch: uint8 `[batchSize, C, H, W]`, transferred there and handed back. */
export type RunBatch = (
  input: Uint8Array,
  batchSize: number,
) => Promise<{
  readonly probabilities: Float32Array;
  readonly input: Uint8Array;
  readonly runMs: number;
}>;

export interface BatcherCollaborators {
  readonly run: RunBatch;
  /** What each batch size took when it was warmed, in milliseconds: where learning starts. */
  readonly warmRunMs?: ReadonlyMap<number, number> | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** Hears of each Ticket that was queued and left without a row. */
  readonly onDropped?: ((reason: DropReason) => void) | undefined;
  /** Hears of each run that succeeded. */
  readonly onRan?: ((batchSize: number, runMs: number) => void) | undefined;
}

/**
 * Gathers tensors from all streams into batches and runs them one at a time.
 *
 * Behaviour: one batch runs, one forms; while the engine is free a Ticket waits at most
 * `maxDelayMs`. The order is FairQueue's, the size is chooseBatch's. When the queue is
 * full, the longest stream or a lower priority makes room; where there is none, the new
 * Ticket is refused. A Ticket is settled at its deadline or abort even while its batch
 * runs: its row is then thrown away. A run that fails with `not_ready` (the engine came
 * back from a crash) is tried once more. Worst-case wait of a Ticket without a deadline:
 * the runs of all Tickets of its priority and above.
 * Use: one for each loaded version. Not for: tensors of different sizes.
 */
export interface Batcher {
  /**
   * Queues one tensor, uint8 of the fixed `[C, H, W]` length; copied into a batch
   * when the batch closes: do not change it before. Settles exactly once.
   *
   * Throws `overloaded`, `cancelled`, `deadline` (at once, if it cannot be met),
   * `draining`, or what the run threw.
   */
  submit(pixels: Uint8Array, options?: SubmitOptions): Promise<BatchedRow>;
  readonly queuedFrames: number;
  readonly queuedBytes: number;
  /** Refuses new Tickets, lets the waiting ones finish. Idempotent. */
  close(): Promise<void>;
}

/** Makes a Batcher. Throws `option_invalid` when the batch sizes are not ascending from 1 up. */
export function createBatcher(
  options: Partial<BatcherOptions>,
  collaborators: BatcherCollaborators,
): Batcher {
  const { run, warmRunMs, clock = systemClock, onDropped, onRan } = collaborators;
  const full = { ...defaultBatcherOptions, ...options };
  const { batchSizes, maxQueuedFrames, maxQueuedBytes, maxDelayMs } = full;
  assertAscending(batchSizes);
  const smallest = batchSizes[0] ?? 1;
  const largest = batchSizes.at(-1) ?? 1;
  const queue = new FairQueue();
  const inputs = new BatchInputs();
  const runTime = new RunTime();
  for (const [batchSize, runMs] of warmRunMs ?? []) runTime.learn(batchSize, runMs);
  const flushed: (() => void)[] = [];
  let running: { readonly endsAtMs: number } | null = null;
  let isClosed = false;
  let isPumpDue = false;
  let forgetDelay: (() => void) | null = null;

  const whenDropped = (ticket: Ticket, reason: DropReason) => {
    queue.remove(ticket);
    if (queue.frames === 0) forgetDelay?.();
    onDropped?.(reason);
    settleClose();
  };

  const submit = async (pixels: Uint8Array, wish: SubmitOptions = {}): Promise<BatchedRow> => {
    if (isClosed) throw new DomainError('draining', 'the model is being retired; try again');
    if (wish.signal?.aborted) throw DomainError.from(wish.signal.reason);
    const place = {
      priority: wish.priority ?? 'normal',
      streamId: wish.streamId ?? '',
      deadlineAtMs: wish.deadlineAtMs ?? Number.POSITIVE_INFINITY,
    };
    if (place.deadlineAtMs <= clock.now()) throw expired();
    const lateMs = expectRowAtMs(place) - place.deadlineAtMs;
    if (lateMs > 0) {
      throw new DomainError(
        'deadline',
        `the deadline cannot be met: the answer would come ${Math.ceil(lateMs)} ms after it`,
      );
    }
    if (isFullWith(pixels.byteLength)) {
      const victim = queue.victimFor(place);
      if (victim === undefined) throw overloaded();
      victim.drop(overloaded(), 'shed');
      if (isFullWith(pixels.byteLength)) throw overloaded();
    }
    const { ticket, row } = createTicket(pixels, wish, { clock, onDropped: whenDropped });
    queue.add(ticket);
    schedule();
    return row;
  };

  const isFullWith = (byteLength: number): boolean =>
    queue.frames >= maxQueuedFrames || queue.bytes + byteLength > maxQueuedBytes;
  const overloaded = () =>
    new DomainError(
      'overloaded',
      `expected at most ${maxQueuedFrames} frames and ${maxQueuedBytes} bytes waiting for the model`,
    );

  /** When a new Ticket would have its row; 0 where nothing is in its way or known. */
  const expectRowAtMs = (place: Pick<Ticket, 'priority' | 'streamId' | 'deadlineAtMs'>): number => {
    // An idle engine never refuses: one slow run would shut out all that come after.
    if (running === null && queue.frames === 0) return 0;
    const fullMs = runTime.expectMs(largest);
    const ownMs = runTime.expectMs(smallest);
    if (fullMs === null || ownMs === null) return 0;
    const freeAtMs = Math.max(clock.now(), running?.endsAtMs ?? 0);
    return freeAtMs + Math.floor(queue.ahead(place) / largest) * fullMs + ownMs;
  };

  /** Looks at the queue once what else comes in this turn of the event loop is in it. */
  const schedule = () => {
    if (running !== null || isPumpDue || queue.frames === 0) return;
    if (maxDelayMs > 0 && queue.frames < largest && !isClosed) {
      if (forgetDelay === null) {
        const forget = clock.callAt(clock.now() + maxDelayMs, pumpSoon);
        forgetDelay = () => {
          forget();
          forgetDelay = null;
        };
      }
      return;
    }
    pumpSoon();
  };
  const pumpSoon = () => {
    if (isPumpDue) return;
    isPumpDue = true;
    forgetDelay?.();
    queueMicrotask(() => {
      isPumpDue = false;
      void pump();
    });
  };

  /** Closes a batch and runs it; never rejects. */
  const pump = async () => {
    if (running !== null || queue.frames === 0) return;
    const { tickets: count, batchSize } = chooseBatch(queue.frames, batchSizes, runTime);
    const startedAtMs = clock.now();
    running = { endsAtMs: startedAtMs + (runTime.expectMs(batchSize) ?? 0) };
    const tickets: Ticket[] = [];
    while (tickets.length < count) {
      const ticket = queue.take();
      if (!ticket) break;
      // Its timer may be late, where the event loop was busy.
      if (ticket.deadlineAtMs <= startedAtMs) ticket.drop(expired(), 'expired');
      else tickets.push(ticket);
    }
    if (tickets.length > 0) await runTickets(tickets, batchSize, startedAtMs);
    running = null;
    // What waited for the engine need not wait for company any more.
    if (queue.frames > 0) pumpSoon();
    settleClose();
  };

  const runTickets = async (
    tickets: readonly Ticket[],
    batchSize: number,
    startedAtMs: number,
  ): Promise<void> => {
    try {
      const { probabilities, input, runMs } = await run(
        inputs.stack(tickets, batchSize),
        batchSize,
      );
      inputs.giveBack(input, batchSize);
      runTime.learn(batchSize, runMs);
      onRan?.(batchSize, runMs);
      const labelCount = probabilities.length / batchSize;
      if (!Number.isInteger(labelCount) || labelCount === 0) {
        const message = `bug: ${batchSize} rows were run, ${probabilities.length} probabilities came`;
        throw new DomainError('internal', 'internal error', { cause: new Error(message) });
      }
      for (const [index, ticket] of tickets.entries()) {
        ticket.settle({
          probabilities: probabilities.slice(index * labelCount, (index + 1) * labelCount),
          batchSize: tickets.length,
          queueMs: startedAtMs - ticket.queuedAtMs,
          runMs,
        });
      }
    } catch (thrown) {
      const error = DomainError.from(thrown);
      for (const ticket of tickets) {
        const mayRetry = error.code === 'not_ready' && ticket.retries === 0;
        if (!mayRetry) ticket.drop(error, 'failed');
        else if (!ticket.isSettled) {
          ticket.retries += 1;
          queue.add(ticket);
        }
      }
    }
  };

  const settleClose = () => {
    if (!isClosed || running !== null || queue.frames > 0) return;
    for (const done of flushed.splice(0)) done();
  };

  return {
    submit,
    get queuedFrames() {
      return queue.frames;
    },
    get queuedBytes() {
      return queue.bytes;
    },
    async close() {
      isClosed = true;
      schedule();
      if (running === null && queue.frames === 0) return;
      await new Promise<void>((resolve) => flushed.push(resolve));
    },
  };
}

function assertAscending(sizes: readonly number[]): void {
  const isAscending = sizes.every(
    (size, index) => Number.isInteger(size) && size > (sizes[index - 1] ?? 0),
  );
  if (sizes.length > 0 && isAscending) return;
  throw new DomainError(
    'option_invalid',
    `expected ascending batch sizes from 1 up, got [${sizes.join(', ')}]`,
  );
}
