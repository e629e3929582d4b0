export interface AdmissionOptions {
  /** Frames of all blocking streams together. */
  readonly maxFrames: number;
  /** Bytes of all frames as they came, however they came. */
  readonly maxBytes: number;
}

/** Gives back what a frame held, once it has its answer; to be called once. */
export type Leave = () => void;

/**
 * The frames on their way to an answer in one process that takes frames, by their bytes as they
 * came: what bounds its memory, however many streams send to it.
 *
 * Behaviour: a blocking stream waits its turn, and is not read meanwhile; one that drops frames, and
 * a single call, are told at once that there is no room. A stream that has no frame on its way is let
 * in all the same, so that others can never shut it out: the bound may be exceeded by a frame a stream.
 */
export interface Admission {
  /** For one more stream. */
  openStream(): StreamAdmission;
  /** For a frame that comes in a call of its own; null where there is no room. */
  tryEnter(byteLength: number): Leave | null;
  /** Bytes of the frames on their way. */
  readonly bytes: number;
}

/** The frames of one stream. */
export interface StreamAdmission {
  /** Resolves when the frame may go on, in the order in which all frames came; at once on abort. */
  enter(byteLength: number, signal: AbortSignal): Promise<Leave>;
  /** Lets the frame in now; null where there is no room. */
  tryEnter(byteLength: number): Leave | null;
}

interface Waiting {
  readonly byteLength: number;
  readonly letIn: () => void;
}

const holdsNothing: Leave = () => {};

export function createAdmission({ maxFrames, maxBytes }: AdmissionOptions): Admission {
  const waiting = new Set<Waiting>();
  /** Of blocking streams: those that drop bound their own. */
  let frames = 0;
  let bytes = 0;

  const hasBytesFor = (byteLength: number): boolean =>
    bytes === 0 || bytes + byteLength <= maxBytes;
  const mayWaitNoLonger = (byteLength: number): boolean =>
    frames === 0 ? hasBytesFor(byteLength) : frames < maxFrames && hasBytesFor(byteLength);
  const hold = (byteLength: number): Leave => {
    bytes += byteLength;
    return () => {
      bytes -= byteLength;
      letIn();
    };
  };
  const letIn = () => {
    for (const next of waiting) {
      if (!mayWaitNoLonger(next.byteLength)) return;
      waiting.delete(next);
      next.letIn();
    }
  };

  return {
    get bytes() {
      return bytes;
    },
    tryEnter: (byteLength) => (hasBytesFor(byteLength) ? hold(byteLength) : null),
    openStream() {
      let own = 0;
      const holdOwn = (byteLength: number): Leave => {
        own += 1;
        const leave = hold(byteLength);
        return () => {
          own -= 1;
          leave();
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
        tryEnter: (byteLength) =>
          own === 0 || hasBytesFor(byteLength) ? holdOwn(byteLength) : null,
        async enter(byteLength, signal) {
          if (signal.aborted) return holdsNothing;
          const isFree = waiting.size === 0 && mayWaitNoLonger(byteLength);
          if (own === 0 || isFree) return holdBlocking(byteLength);
          return new Promise((resolve) => {
            const giveUp = () => {
              waiting.delete(entry);
              resolve(holdsNothing);
              letIn(); // a smaller one may have stood behind it
            };
            const entry: Waiting = {
              byteLength,
              letIn() {
                signal.removeEventListener('abort', giveUp);
                resolve(holdBlocking(byteLength));
              },
            };
            waiting.add(entry);
            signal.addEventListener('abort', giveUp, { once: true });
          });
        },
      };
    },
  };
}
