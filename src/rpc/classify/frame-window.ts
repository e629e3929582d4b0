import type { Overflow } from '../wire/enums.js';

export interface FrameWindowOptions {
  readonly overflow: Overflow;
  /** Frames without an answer. */
  readonly maxInFlight: number;
  /** Their bytes as they came; one frame may exceed it. */
  readonly maxBytes: number;
}

/** What a window counts of a frame. */
interface Sized {
  /** Of its message. */
  readonly byteLength: number;
  /** On the clock of `performance.now()`; `Infinity` for none. */
  readonly deadlineAtMs: number;
}

/**
 * The frames of one stream that have no answer yet.
 *
 * Behaviour: a frame waits, then is active (with the model), then done. With `block`
 * all may be active and `hasRoom` says whether one more fits. With `dropOldest` and
 * `latestOnly` at most half are active, in frames and in bytes, because an active frame is
 * never dropped: so a sender that is faster than the model still gets answers, and the rest
 * is fresh.
 * Invariants: waiting + active <= limit; of more than two frames all but the newest keep within
 * `maxBytes`.
 */
export interface FrameWindow<Entry extends Sized> {
  /** The limit that holds: at least two where frames are dropped, one active and one waiting. */
  readonly limit: number;
  readonly hasRoom: boolean;
  /** Adds a frame; returns those that it drove out, oldest first. */
  add(entry: Entry): readonly Entry[];
  /** The next frame that may become active, or null. */
  activate(): Entry | null;
  /** An active frame has its answer. */
  done(entry: Entry): void;
  /** Bytes of each frame that waits, the oldest first. */
  readonly waitingBytes: readonly number[];
  /** Takes so many of those that wait, or all there are, the oldest first. */
  takeOldest(count: number): readonly Entry[];
  /** What came last of those that wait. */
  readonly newestWaiting: Entry | undefined;
  /** The earliest deadline of those that wait; `Infinity` where none has one. */
  readonly nextDeadlineAtMs: number;
  /** Takes those that wait whose deadline has passed, the oldest first. */
  takeExpired(nowMs: number): readonly Entry[];
  /** Takes everything that waits. */
  clear(): readonly Entry[];
  readonly size: number;
}

export function createFrameWindow<Entry extends Sized>(
  options: FrameWindowOptions,
): FrameWindow<Entry> {
  const { overflow, maxBytes } = options;
  const isKept = overflow === 'block';
  const limit = isKept ? options.maxInFlight : Math.max(2, options.maxInFlight);
  const activeLimit = isKept ? limit : Math.ceil(limit / 2);
  const activeBytesLimit = isKept ? Number.POSITIVE_INFINITY : maxBytes / 2;
  let waiting: Entry[] = [];
  let active = 0;
  let activeBytes = 0;
  let bytes = 0;
  const takeOldest = (count: number): readonly Entry[] => {
    const oldest = waiting.splice(0, count);
    for (const { byteLength } of oldest) bytes -= byteLength;
    return oldest;
  };
  const clear = () => takeOldest(waiting.length);
  return {
    limit,
    get hasRoom() {
      return waiting.length + active < limit && bytes < maxBytes;
    },
    add(entry) {
      const isFull = () => waiting.length + active >= limit || bytes + entry.byteLength > maxBytes;
      if (isKept && waiting.length + active >= limit)
        throw new Error('bug: a frame was added to a full window');
      const driven: Entry[] = [];
      while (!isKept && isFull() && waiting.length > 0) {
        driven.push(...(overflow === 'latestOnly' ? clear() : takeOldest(1)));
      }
      waiting.push(entry);
      bytes += entry.byteLength;
      return driven;
    },
    activate() {
      if (active >= activeLimit) return null;
      const [entry] = waiting;
      if (entry === undefined) return null;
      if (active > 0 && activeBytes + entry.byteLength > activeBytesLimit) return null;
      waiting.shift();
      active += 1;
      activeBytes += entry.byteLength;
      return entry;
    },
    done({ byteLength }) {
      active -= 1;
      activeBytes -= byteLength;
      bytes -= byteLength;
    },
    get waitingBytes() {
      return waiting.map(({ byteLength }) => byteLength);
    },
    takeOldest,
    get newestWaiting() {
      return waiting.at(-1);
    },
    get nextDeadlineAtMs() {
      return Math.min(...waiting.map(({ deadlineAtMs }) => deadlineAtMs));
    },
    takeExpired(nowMs) {
      const expired = waiting.filter(({ deadlineAtMs }) => deadlineAtMs <= nowMs);
      for (const { byteLength } of expired) bytes -= byteLength;
      waiting = waiting.filter(({ deadlineAtMs }) => deadlineAtMs > nowMs);
      return expired;
    },
    clear,
    get size() {
      return waiting.length + active;
    },
  };
}
