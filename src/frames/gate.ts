import { DomainError } from '../errors.js';

export interface GateOptions {
  /** How many may run at once. */
  readonly width: number;
  /** How many may wait, and their bytes together. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
}

/** A bounded queue in front of `width` places: first come, first served. */
export interface Gate {
  /** Throws `draining` once closed. */
  assertOpen(): void;
  /**
   * Runs `work` when a place is free. Rejects with `overloaded` if too much waits, at once on
   * abort (work that has not started is then never started; its place in the queue is freed).
   * What is kept waits however much does.
   */
  run<T>(
    byteLength: number,
    wish: { readonly signal?: AbortSignal | undefined; readonly isKept?: boolean | undefined },
    work: () => Promise<T>,
  ): Promise<T>;
  /** Rejects what waits with `draining`; resolves when nothing runs any more. */
  close(): Promise<void>;
}

interface Waiting {
  readonly byteLength: number;
  readonly start: () => void;
  readonly refuse: (reason: DomainError) => void;
}

export function createGate(options: GateOptions): Gate {
  const waiting = new Set<Waiting>();
  let waitingBytes = 0;
  let running = 0;
  let isClosed = false;
  let settleIdle: (() => void) | null = null;

  const closedError = () => new DomainError('draining', 'frames are no longer prepared here');

  function leave(entry: Waiting): void {
    if (waiting.delete(entry)) waitingBytes -= entry.byteLength;
  }

  function startNext(): void {
    for (const entry of waiting) {
      if (running >= options.width) return;
      leave(entry);
      entry.start();
    }
    if (running === 0) settleIdle?.();
  }

  function run<T>(
    byteLength: number,
    { signal, isKept = false }: Parameters<Gate['run']>[1],
    work: () => Promise<T>,
  ): Promise<T> {
    if (isClosed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(DomainError.from(signal.reason));
    const mustWait = running >= options.width;
    if (
      mustWait &&
      !isKept &&
      (waiting.size >= options.maxWaiting || waitingBytes + byteLength > options.maxWaitingBytes)
    ) {
      return Promise.reject(
        new DomainError(
          'overloaded',
          `expected at most ${options.maxWaiting} frames and ${options.maxWaitingBytes} bytes ` +
            `waiting to be prepared, got ${waiting.size + 1} and ${waitingBytes + byteLength}`,
        ),
      );
    }
    return new Promise<T>((resolve, reject) => {
      const onAbort = () => {
        leave(entry);
        reject(DomainError.from(signal?.reason));
      };
      const entry: Waiting = {
        byteLength,
        refuse: (reason) => {
          signal?.removeEventListener('abort', onAbort);
          reject(reason);
        },
        start: () => {
          running++;
          const settled = () => {
            signal?.removeEventListener('abort', onAbort);
            running--;
            startNext();
          };
          // Settled before the caller hears of it: a caller may close at once.
          work().then(
            (value) => {
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
      waiting.add(entry);
      waitingBytes += byteLength;
      startNext();
    });
  }

  async function close(): Promise<void> {
    isClosed = true;
    for (const entry of waiting) {
      leave(entry);
      entry.refuse(closedError());
    }
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
