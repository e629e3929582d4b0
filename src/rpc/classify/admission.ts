import { type Clock, systemClock } from '../../batching/index.js';
import { createRecentMean } from '../../queue/index.js';

export interface AdmissionOptions {
  /** Frames of all blocking streams together, from 1 up. */
  readonly maxFrames: number;
  /** Bytes of all frames as they came, however they came; in blocking streams as prepared, if that is more. */
  readonly maxBytes: number;
}

/** Gives back what a frame held, once it has its answer; to be called once. */
export type Leave = () => void;

/**
 * The frames on their way to an answer in one process that takes frames, by their bytes as they
 * came: what bounds its memory, however many streams send to it.
 *
 * Behaviour: a blocking stream waits its turn, and is not read meanwhile; one that drops frames, and
 * a single call, are told at once that there is no room: of what the first of those that wait needs
 * they take as many bytes as it has, and no more, so that neither can shut the other out. A stream that
 * has no frame on its way is let in all the same: the bound may be exceeded by a frame a stream.
 */
export interface Admission {
  /** For one more stream. */
  openStream(): StreamAdmission;
  /** For a frame that comes in a call of its own; null where there is no room. */
  tryEnter(byteLength: number): Leave | null;
  /**
   * In how many milliseconds so many bytes will have left, by how long frames stayed of late;
   * undefined before any has left.
   */
  untilRoomMs(byteLength: number): number | undefined;
  /** Bytes of the frames on their way. */
  readonly bytes: number;
}

/** The frames of one stream. */
export interface StreamAdmission {
  /**
   * Resolves when the frame may go on, in the order in which all frames came; on abort, and at its
   * deadline, at once: it then holds nothing.
   */
  enter(byteLength: number, patience: Patience): Promise<Leave>;
  /**
   * Lets the frame in now; null where there is no room. In place of others of the stream it needs
   * room for what it has beyond their bytes alone: they are to leave next.
   */
  tryEnter(byteLength: number, others?: Others): Leave | null;
}

/** How long a frame waits to be let in. */
export interface Patience {
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`; `Infinity` for none. */
  readonly deadlineAtMs: number;
}

/** Frames of one stream that are on their way. */
export interface Others {
  readonly count: number;
  readonly bytes: number;
}

interface Waiting {
  readonly byteLength: number;
  readonly letIn: () => void;
  /** Bytes that it needed, and that went to what came later. */
  passedBytes: number;
}

const none: Others = Object.freeze({ count: 0, bytes: 0 });
const holdsNothing: Leave = () => {};

export function createAdmission(
  { maxFrames, maxBytes }: AdmissionOptions,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Admission {
  const waiting = new Set<Waiting>();
  /** Of blocking streams: those that drop bound their own. */
  let frames = 0;
  let bytes = 0;
  const stayMs = createRecentMean();

  const hasBytesFor = (byteLength: number): boolean =>
    bytes === 0 || bytes + byteLength <= maxBytes;
  const hasRoomFor = (byteLength: number): boolean => frames < maxFrames && hasBytesFor(byteLength);
  /** Whether what does not wait goes now, past those that do. */
  const passes = (byteLength: number): boolean => {
    if (!hasBytesFor(byteLength)) return false;
    const [first] = waiting;
    if (!first || bytes + byteLength + first.byteLength <= maxBytes) return true;
    if (first.passedBytes + byteLength > first.byteLength) return false;
    first.passedBytes += byteLength;
    return true;
  };
  const hold = (byteLength: number): Leave => {
    bytes += byteLength;
    const enteredAtMs = clock.now();
    return () => {
      bytes -= byteLength;
      stayMs.add(clock.now() - enteredAtMs);
      letIn();
    };
  };
  const letIn = () => {
    for (const next of waiting) {
      if (!hasRoomFor(next.byteLength)) return;
      next.letIn();
    }
  };

  return {
    get bytes() {
      return bytes;
    },
    tryEnter: (byteLength) => (passes(byteLength) ? hold(byteLength) : null),
    // All bytes that are held leave within a stay, a part of them in that part of it (Little's law).
    untilRoomMs: (byteLength) => stayMs.value && stayMs.value * Math.min(1, byteLength / bytes),
    openStream() {
      let own = 0;
      const ownWaiting = new Set<Waiting>();
      const holdOwn = (byteLength: number): Leave => {
        own += 1;
        const leave = hold(byteLength);
        return () => {
          own -= 1;
          leave();
          if (own > 0) return;
          const [next] = ownWaiting;
          next?.letIn();
        };
      };
      const holdBlocking = (byteLength: number): Leave => {
        frames += 1;
        const leave = holdOwn(byteLength);
        return () => {
          frames -= 1;
          leave();
        };
      };
      return {
        tryEnter(byteLength, { count, bytes: leaving } = none) {
          const more = byteLength - leaving;
          return own === count || more <= 0 || passes(more) ? holdOwn(byteLength) : null;
        },
        async enter(byteLength, { signal, deadlineAtMs }) {
          if (signal.aborted) return holdsNothing;
          const isFree = waiting.size === 0 && hasRoomFor(byteLength);
          if (own === 0 || isFree) return holdBlocking(byteLength);
          return new Promise((resolve) => {
            const end = () => {
              waiting.delete(entry);
              ownWaiting.delete(entry);
              signal.removeEventListener('abort', giveUp);
              forgetTimer();
            };
            const giveUp = () => {
              end();
              resolve(holdsNothing);
              letIn(); // a smaller one may have stood behind it
            };
            // One a stream at most, which is not read meanwhile.
            const forgetTimer = Number.isFinite(deadlineAtMs)
              ? clock.callAt(deadlineAtMs, giveUp)
              : () => {};
            const entry: Waiting = {
              byteLength,
              passedBytes: 0,
              letIn() {
                end();
                resolve(holdBlocking(byteLength));
              },
            };
            waiting.add(entry);
            ownWaiting.add(entry);
            signal.addEventListener('abort', giveUp, { once: true });
          });
        },
      };
    },
  };
}
