import type { DomainError } from '../errors.js';

/** Whose frames go first where more wait than can be taken. */
export type Priority = 'high' | 'normal' | 'low';

/** The first goes first. */
export const priorities: readonly Priority[] = Object.freeze(['high', 'normal', 'low']);

/**
 * What happens where there is no room: none of the stream's frames is ever shed, because
 * its sender bounds them (`keep`); its oldest goes, for the newest tells more (`dropOldest`);
 * or the newcomer is turned away (`refuse`).
 */
export type WhenFull = 'keep' | 'dropOldest' | 'refuse';

/** Where in a FairQueue something stands, or would. */
export interface Place {
  readonly priority: Priority;
  readonly streamId: string;
  /** On the clock of `performance.now()`; `Infinity` when it may wait for ever. */
  readonly deadlineAtMs: number;
}

/** What comes to a queue: how much it is, and what is to happen if that is too much. */
export interface Newcomer extends Place {
  readonly byteLength: number;
  readonly whenFull: WhenFull;
}

/** What waits in one. */
export interface Waiting extends Newcomer {
  /** On the clock of `performance.now()`. */
  readonly queuedAtMs: number;
  /** Ends it, because it has to make room; it leaves the queue before this returns. */
  shed(refusal: DomainError): void;
}

/** The place of one whose sender asked for nothing in particular. */
export function toPlace(wish: {
  readonly priority?: Priority | undefined;
  readonly streamId?: string | undefined;
  readonly deadlineAtMs?: number | undefined;
}): Place {
  return {
    priority: wish.priority ?? 'normal',
    streamId: wish.streamId ?? '',
    deadlineAtMs: wish.deadlineAtMs ?? Number.POSITIVE_INFINITY,
  };
}
