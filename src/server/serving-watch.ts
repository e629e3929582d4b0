/** Whether frames are being answered, for what should make room for them meanwhile. */
export interface ServingWatch {
  readonly isServing: boolean;
  /** Frames were answered now. */
  answered(): void;
  /** Calls `listener` at each change. Returns what ends that. */
  onChange(listener: (isServing: boolean) => void): () => void;
}

/**
 * Makes a ServingWatch: serving lasts from an answer until `quietMs` after the last, the
 * longest silence between two frames of a microscope that still counts.
 */
export function createServingWatch({ quietMs = 1000 } = {}): ServingWatch {
  const listeners = new Set<(isServing: boolean) => void>();
  let isServing = false;
  let lastAtMs = 0;
  const change = (next: boolean) => {
    isServing = next;
    for (const listener of listeners) listener(next);
  };
  // One timer for a stretch of serving, not one a frame.
  const lookLater = (delayMs: number) => {
    setTimeout(() => {
      const silentMs = performance.now() - lastAtMs;
      if (silentMs >= quietMs) change(false);
      else lookLater(quietMs - silentMs);
    }, delayMs).unref();
  };
  return {
    get isServing() {
      return isServing;
    },
    answered() {
      lastAtMs = performance.now();
      if (isServing) return;
      change(true);
      lookLater(quietMs);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
