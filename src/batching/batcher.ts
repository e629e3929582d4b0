import { DomainError } from '../errors.js';
import { FairQueue, makeRoom, type Place, priorities, toPlace } from '../queue/index.js';
import { BatchInputs } from './batch-inputs.js';
import { systemClock } from './clock.js';
import { closeBatch } from './close-batch.js';
import { Lanes } from './lanes.js';
import {
  type BatchedRow,
  type BatcherCollaborators,
  type BatcherOptions,
  defaultBatcherOptions,
  type RunBatch,
  type SubmitOptions,
} from './options.js';
import { Outlook } from './outlook.js';
import { chooseBatch, RunTime, sizeToTry } from './run-time.js';
import { createTicket, type DropReason, expired, hopeless, type Ticket } from './ticket.js';

/**
 * Gathers tensors from all streams into batches and runs as many of them at once as the
 * engine has lanes.
 *
 * Behaviour: while every lane is busy a batch forms; while one is free a Ticket waits at
 * most `maxDelayMs`, and several free lanes share what waits. A batch that no wait could
 * make better (as many Tickets as the size with the best rate) is handed over before the
 * run ahead of it ends, so that the engine finds it at once: two a lane are with the engine
 * at most. The order is FairQueue's, the size is chooseBatch's, the bounds are makeRoom's, and
 * who is too late to be run is Outlook's. A Ticket is settled at its deadline or abort even
 * while its batch runs: its row is then thrown away. A run that fails with `not_ready` (the
 * engine came back from a crash) is tried once more, unless the caller does that; after one that
 * fails with `overloaded` (another server runs it) what is kept is tried again, as often as it
 * takes, and its lane rests meanwhile. Worst-case wait of a Ticket without a deadline: the runs
 * of all Tickets of its priority and above.
 * Use: one for each loaded version. Not for: tensors of different sizes.
 */
export interface Batcher {
  /**
   * Queues one tensor, uint8 of the fixed `[C, H, W]` length; copied into a batch
   * when the batch closes: do not change it before. Settles exactly once.
   *
   * Throws `overloaded` (with the time until there is room), `cancelled`, `deadline` (at once, if it cannot be met),
   * `draining`, or what the run threw.
   */
  submit(pixels: Uint8Array, options?: SubmitOptions): Promise<BatchedRow>;
  /**
   * Throws `deadline` where `submit` would, because it cannot be met: to be asked before a
   * tensor is made at some cost.
   */
  assertInTime(options: SubmitOptions): void;
  readonly queuedFrames: number;
  readonly queuedBytes: number;
  /** Refuses new Tickets, lets the waiting ones finish. Idempotent. */
  close(): Promise<void>;
}

/** How often a size is run that is not thought the best: rarely enough not to show in p99. */
const batchesPerTry = 200;

/** How long a lane rests whose run was refused for want of room. */
const restMs = 250;

/** Makes a Batcher. Throws `option_invalid` when the batch sizes are not ascending from 1 up. */
export function createBatcher(
  options: Partial<BatcherOptions>,
  collaborators: BatcherCollaborators,
): Batcher {
  const { run, lanes: laneCount = 1, warmRunMs, onDropped, onRan } = collaborators;
  const { clock = systemClock } = collaborators;
  const full = { ...defaultBatcherOptions, ...options };
  const { batchSizes, maxDelayMs } = full;
  assertAscending(batchSizes);
  const largest = batchSizes.at(-1) ?? 1;
  const queue = new FairQueue<Ticket>();
  const inputs = new BatchInputs();
  const runTime = new RunTime();
  const learn = (batchSize: number, runMs: number) => {
    runTime.learn(batchSize, runMs);
    const isKnown = runTime.bestMs(largest) !== null;
    if (isKnown) bestBatch = chooseBatch(largest, batchSizes, runTime).tickets;
  };
  const flushed: (() => void)[] = [];
  const lanes = new Lanes(laneCount);
  const outlook = new Outlook({ laneCount, batchSizes }, { queue, lanes, runTime });
  /** Runs although it is thought to be late. */
  let tried: Ticket | null = null;
  let untilTry = batchesPerTry;
  /** Tickets from which on a batch gets no better; infinite until it is known. */
  let bestBatch = Number.POSITIVE_INFINITY;
  for (const [batchSize, runMs] of warmRunMs ?? []) learn(batchSize, runMs);
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
    const { whenFull = 'refuse', signal, isRetriedByCaller = false } = wish;
    const newcomer = { ...toPlace(wish), byteLength: pixels.byteLength, whenFull };
    const isTry = admit(newcomer);
    makeRoom(queue, newcomer, full, 'waiting for the model', () => untilRoomMs(newcomer));
    const { ticket, row } = createTicket(pixels, newcomer, {
      signal,
      mayRetry: !isRetriedByCaller,
      clock,
      onDropped: whenDropped,
    });
    if (isTry) tried = ticket;
    queue.add(ticket);
    schedule();
    return row;
  };

  /** Throws `deadline` for what is too late; whether it is let in as a try only. */
  const admit = (place: Place): boolean => {
    const nowMs = clock.now();
    if (place.deadlineAtMs <= nowMs) throw expired();
    const lateMs = outlook.lateMs(place, nowMs);
    if (lateMs <= 0) return false;
    if (outlook.isTryDue(nowMs)) return true;
    throw hopeless(lateMs);
  };

  /**
   * When half of what would run before a new Ticket has: by then whoever is told so finds room.
   * undefined before any run.
   */
  const untilRoomMs = (place: Place): number | undefined => {
    const { tickets, batchSize } = chooseBatch(queue.frames, batchSizes, runTime);
    const batchMs = runTime.expectMs(batchSize);
    if (batchMs === null) return undefined;
    const batches = queue.ahead(place) / 2 / tickets;
    const nowMs = clock.now();
    return lanes.beginsAtMs(nowMs) - nowMs + (batches / laneCount) * batchMs;
  };

  const nextBatch = () => {
    // What waits is shared between the lanes that have nothing to do.
    const waiting = Math.ceil(queue.frames / Math.max(1, lanes.idle));
    const chosen = chooseBatch(waiting, batchSizes, runTime, queue.frames / laneCount);
    untilTry -= 1;
    if (untilTry > 0) return chosen;
    const batchSize = sizeToTry(chosen.batchSize, waiting, batchSizes);
    if (batchSize === null) return chosen;
    untilTry = batchesPerTry;
    return { tickets: batchSize, batchSize };
  };

  const mayRun = (): boolean =>
    queue.frames > 0 && (lanes.idle > 0 || (lanes.hasRoomAhead && queue.frames >= bestBatch));

  /** Looks at the queue once what else comes in this turn of the event loop is in it. */
  const schedule = () => {
    if (isPumpDue || !mayRun()) return;
    if (lanes.idle > 0 && maxDelayMs > 0 && queue.frames < largest && !isClosed) {
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
    if (!mayRun()) return;
    const startedAtMs = clock.now();
    const closed = closeBatch(nextBatch(), startedAtMs, { queue, outlook, tried });
    const { tickets, batchSize, late } = closed;
    tried = null;
    const leaveLane = lanes.enter(startedAtMs, runTime.expectMs(batchSize) ?? 0);
    for (const { ticket, error } of late) ticket.drop(error, 'expired');
    if (mayRun()) pumpSoon();
    if (tickets.length > 0) {
      await runTickets(tickets, batchSize);
      outlook.ended(clock.now());
    }
    leaveLane(clock.now());
    // What waited for the engine need not wait for company any more.
    if (mayRun()) pumpSoon();
    settleClose();
  };

  const runTickets = async (tickets: readonly Ticket[], batchSize: number): Promise<void> => {
    try {
      const { probabilities, distances, input, runMs } = await run(
        inputs.stack(tickets, batchSize),
        batchSize,
        wishOf(tickets),
      );
      inputs.giveBack(input, batchSize);
      learn(batchSize, runMs);
      onRan?.(batchSize, runMs);
      const labelCount = probabilities.length / batchSize;
      if (!Number.isInteger(labelCount) || labelCount === 0) {
        const message = `bug: ${batchSize} rows were run, ${probabilities.length} probabilities came`;
        throw new DomainError('internal', 'internal error', { cause: new Error(message) });
      }
      const endedAtMs = clock.now();
      for (const [index, ticket] of tickets.entries()) {
        ticket.settle({
          probabilities: probabilities.slice(index * labelCount, (index + 1) * labelCount),
          distance: distances?.[index],
          batchSize: tickets.length,
          // With the wait of a batch that was handed over while another ran.
          queueMs: Math.max(0, endedAtMs - ticket.queuedAtMs - runMs),
          runMs,
        });
      }
    } catch (thrown) {
      const error = DomainError.from(thrown);
      const isOverloaded = error.code === 'overloaded';
      const again: Ticket[] = [];
      for (const ticket of tickets) {
        const isTriedAgain = isOverloaded
          ? ticket.whenFull === 'keep'
          : error.code === 'not_ready' && ticket.mayRetry;
        if (isTriedAgain) again.push(ticket);
        else ticket.drop(error, error.code === 'deadline' ? 'expired' : 'failed');
      }
      if (isOverloaded && again.length > 0) {
        await new Promise<void>((resolve) => clock.callAt(clock.now() + restMs, resolve));
      }
      for (const ticket of again) {
        if (ticket.isSettled) continue;
        if (!isOverloaded) ticket.mayRetry = false;
        queue.add(ticket);
      }
    }
  };

  const settleClose = () => {
    if (!isClosed || lanes.batches + queue.frames > 0) return;
    for (const done of flushed.splice(0)) done();
  };

  return {
    submit,
    assertInTime(wish) {
      admit(toPlace(wish));
    },
    get queuedFrames() {
      return queue.frames;
    },
    get queuedBytes() {
      return queue.bytes;
    },
    async close() {
      isClosed = true;
      schedule();
      if (lanes.batches + queue.frames === 0) return;
      await new Promise<void>((resolve) => flushed.push(resolve));
    },
  };
}

/** A batch is as urgent as the first of its Tickets, and of use until the last may not wait. */
function wishOf(tickets: readonly Ticket[]): Parameters<RunBatch>[2] {
  return {
    priority:
      priorities.find((level) => tickets.some(({ priority }) => priority === level)) ?? 'low',
    deadlineAtMs: Math.max(...tickets.map(({ deadlineAtMs }) => deadlineAtMs)),
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
