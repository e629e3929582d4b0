import { DomainError } from '../errors.js';
import type { Newcomer, Waiting } from '../queue/index.js';
import type { Clock } from './clock.js';
import type { BatchedRow } from './options.js';

/** Why a Ticket left without a row; `shed` made room for another. */
export type DropReason = 'cancelled' | 'expired' | 'shed' | 'failed';

/**
 * One prepared Frame waiting for its row. Settles exactly once: by its row, by what
 * the run threw, at its deadline or when its signal aborts — whichever is first.
 */
export interface Ticket extends Waiting {
  /** uint8 `[C, H, W]`. */
  readonly pixels: Uint8Array;
  readonly isSettled: boolean;
  /** Whether it is run once more when the engine went away under it. */
  mayRetry: boolean;
  settle(row: BatchedRow): void;
  drop(error: DomainError, reason: DropReason): void;
}

/** Makes a Ticket and the promise of its row. `onDropped` hears of an end without a row, once. */
export function createTicket(
  pixels: Uint8Array,
  newcomer: Newcomer,
  {
    signal,
    mayRetry,
    clock,
    onDropped,
  }: {
    readonly signal: AbortSignal | undefined;
    readonly mayRetry: boolean;
    readonly clock: Clock;
    readonly onDropped: (ticket: Ticket, reason: DropReason) => void;
  },
): { readonly ticket: Ticket; readonly row: Promise<BatchedRow> } {
  const { promise: row, resolve, reject } = withResolvers<BatchedRow>();
  let isSettled = false;
  let forgetTimer = () => {};

  const end = (): boolean => {
    if (isSettled) return false;
    isSettled = true;
    forgetTimer();
    signal?.removeEventListener('abort', onAbort);
    return true;
  };
  const drop = (error: DomainError, reason: DropReason) => {
    if (!end()) return;
    reject(error);
    onDropped(ticket, reason);
  };
  const onAbort = () => {
    const error = DomainError.from(signal?.reason);
    drop(error, error.code === 'deadline' ? 'expired' : 'cancelled');
  };

  const ticket: Ticket = {
    ...newcomer,
    pixels,
    queuedAtMs: clock.now(),
    mayRetry,
    get isSettled() {
      return isSettled;
    },
    settle(value) {
      if (end()) resolve(value);
    },
    drop,
    shed: (refusal) => drop(refusal, 'shed'),
  };

  signal?.addEventListener('abort', onAbort, { once: true });
  if (Number.isFinite(newcomer.deadlineAtMs)) {
    forgetTimer = clock.callAt(newcomer.deadlineAtMs, () => drop(expired(), 'expired'));
  }
  return { ticket, row };
}

/** Of one that is refused or dropped ahead of its deadline. */
export function hopeless(lateMs: number): DomainError {
  return new DomainError(
    'deadline',
    `the deadline cannot be met: the answer would come ${Math.ceil(lateMs)} ms after it`,
  );
}

export function expired(): DomainError {
  return new DomainError('deadline', "the frame's deadline passed before it was answered");
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
