import type { Overflow } from '../wire/enums.js';

export interface FrameWindowOptions {
  readonly overflow: Overflow;
  /** Frames without an answer. */
  readonly maxInFlight: number;
}

/**
 * The frames of one stream that have no answer yet.
 *
 * Behaviour: a frame waits, then is active (with the model), then done. With `block`
 * all may be active and `hasRoom` says whether one more fits. With `dropOldest` and
 * `latestOnly` at most half are active, because an active frame is never dropped: so
 * a sender that is faster than the model still gets answers, and the rest is fresh.
 * Invariant: waiting + active <= limit.
 */
export interface FrameWindow<Entry> {
  /** The limit that holds: at least two where frames are dropped, one active and one waiting. */
  readonly limit: number;
  readonly hasRoom: boolean;
  /** Adds a frame; returns those that it drove out, oldest first. */
  add(entry: Entry): readonly Entry[];
  /** The next frame that may become active, or null. */
  activate(): Entry | null;
  /** An active frame has its answer. */
  done(): void;
  /** Takes everything that waits. */
  clear(): readonly Entry[];
  readonly size: number;
}

export function createFrameWindow<Entry>(options: FrameWindowOptions): FrameWindow<Entry> {
  const { overflow } = options;
  const limit = overflow === 'block' ? options.maxInFlight : Math.max(2, options.maxInFlight);
  const activeLimit = overflow === 'block' ? limit : Math.ceil(limit / 2);
  const waiting: Entry[] = [];
  let active = 0;
  return {
    limit,
    get hasRoom() {
      return waiting.length + active < limit;
    },
    add(entry) {
      const isFull = waiting.length + active >= limit;
      if (isFull && overflow === 'block')
        throw new Error('bug: a frame was added to a full window');
      const driven = isFull
        ? waiting.splice(0, overflow === 'latestOnly' ? waiting.length : 1)
        : [];
      waiting.push(entry);
      return driven;
    },
    activate() {
      if (active >= activeLimit) return null;
      const entry = waiting.shift();
      if (entry === undefined) return null;
      active += 1;
      return entry;
    },
    done() {
      active -= 1;
    },
    clear: () => waiting.splice(0),
    get size() {
      return waiting.length + active;
    },
  };
}
