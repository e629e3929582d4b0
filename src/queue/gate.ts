import { DomainError } from '../errors.js';
import { FairQueue } from './fair-queue.js';
import { type Bounds, makeRoom } from './make-room.js';
import { createRecentMean } from './recent-mean.js';
import type { Newcomer, Place, Waiting } from './waiting.js';

export interface GateOptions extends Bounds {
  /** How many may run at once. */
  readonly width: number;
  /** Ends the sentence of a refusal: "waiting to be prepared". */
  readonly where: string;
  /** What is told once it is closed: "frames are no longer prepared here". */
  readonly closedMessage: string;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly now?: () => number;
}

/** A bounded queue in front of `width` places: FairQueue's order, makeRoom's bounds. */
export interface Gate {
  /** Throws `draining` once closed. */
  assertOpen(): void;
  /**
   * Runs `work` when a place is free and it is its turn. Rejects with `overloaded` if too much
   * waits, or it has to make room, and says when half of what is ahead will be done; at once on
   * abort: work that has not started is then never started, and its place in the queue is freed.
   */
  run<T>(newcomer: Newcomer, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>;
  /** Rejects what waits with `draining`; resolves when nothing runs any more. */
  close(): Promise<void>;
}

interface Entry extends Waiting {
  readonly start: () => void;
  readonly refuse: (reason: DomainError) => void;
}

export function createGate({
  width,
  where,
  closedMessage,
  now = () => performance.now(),
  ...bounds
}: GateOptions): Gate {
  const queue = new FairQueue<Entry>();
  let running = 0;
  let isClosed = false;
  let settleIdle: (() => void) | null = null;
  const workMs = createRecentMean();

  const closedError = () => new DomainError('draining', closedMessage);

  function startNext(): void {
    while (running < width) {
      const entry = queue.take();
      if (!entry) break;
      entry.start();
    }
    if (running === 0) settleIdle?.();
  }

  const untilRoomMs = (place: Place) =>
    workMs.value && ((queue.ahead(place) / 2 + 1) * workMs.value) / width;

  async function run<T>(
    newcomer: Newcomer,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (isClosed) throw closedError();
    if (signal?.aborted) throw DomainError.from(signal.reason);
    if (running >= width) {
      makeRoom(queue, newcomer, bounds, where, () => untilRoomMs(newcomer));
    }
    return new Promise<T>((resolve, reject) => {
      const onAbort = () => {
        queue.remove(entry);
        reject(DomainError.from(signal?.reason));
      };
      const refuse = (reason: DomainError) => {
        signal?.removeEventListener('abort', onAbort);
        reject(reason);
      };
      const entry: Entry = {
        ...newcomer,
        queuedAtMs: now(),
        refuse,
        shed(refusal) {
          queue.remove(entry);
          refuse(refusal);
        },
        start() {
          running++;
          const startedAtMs = now();
          const settled = () => {
            signal?.removeEventListener('abort', onAbort);
            running--;
            startNext();
          };
          // Settled before the caller hears of it: a caller may close at once.
          work().then(
            (value) => {
              workMs.add(now() - startedAtMs);
              settled();
              resolve(value);
            },
            (thrown: unknown) => {
              settled();
              reject(DomainError.from(thrown));
            },
          );
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.add(entry);
      startNext();
    });
  }

  async function close(): Promise<void> {
    isClosed = true;
    for (let entry = queue.take(); entry; entry = queue.take()) entry.refuse(closedError());
    if (running === 0) return;
    await new Promise<void>((resolve) => {
      const before = settleIdle;
      settleIdle = () => {
        before?.();
        resolve();
      };
    });
  }

  return {
    assertOpen: () => {
      if (isClosed) throw closedError();
    },
    run,
    close,
  };
}
