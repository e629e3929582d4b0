export interface AdmissionOptions {
  readonly maxFrames: number;
  readonly maxBytes: number;
}

/**
 * The frames of all blocking streams that are on their way to an answer: so many are let in,
 * the next wait in the order in which they came, and their streams are not read meanwhile. A
 * frame that was let in is never shed, so this is what bounds them.
 */
export interface Admission {
  /**
   * Resolves when a frame of so many bytes may go on, with what is to be called once when it has
   * its answer; at once on abort. A frame larger than the whole bound goes alone.
   */
  enter(byteLength: number, signal: AbortSignal): Promise<() => void>;
}

interface Waiting {
  readonly byteLength: number;
  readonly letIn: () => void;
}

export function createAdmission({ maxFrames, maxBytes }: AdmissionOptions): Admission {
  const waiting = new Set<Waiting>();
  let frames = 0;
  let bytes = 0;

  const isFullWith = (byteLength: number): boolean =>
    frames > 0 && (frames >= maxFrames || bytes + byteLength > maxBytes);
  const hold = (byteLength: number): (() => void) => {
    frames += 1;
    bytes += byteLength;
    return () => {
      frames -= 1;
      bytes -= byteLength;
      letIn();
    };
  };
  const letIn = () => {
    for (const next of waiting) {
      if (isFullWith(next.byteLength)) return;
      waiting.delete(next);
      next.letIn();
    }
  };

  return {
    async enter(byteLength, signal) {
      if (signal.aborted) return () => {};
      if (waiting.size === 0 && !isFullWith(byteLength)) return hold(byteLength);
      return new Promise((resolve) => {
        const leave = () => {
          waiting.delete(entry);
          resolve(() => {});
          letIn(); // a smaller one may have stood behind it
        };
        const entry: Waiting = {
          byteLength,
          letIn() {
            signal.removeEventListener('abort', leave);
            resolve(hold(byteLength));
          },
        };
        waiting.add(entry);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
  };
}
