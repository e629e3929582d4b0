/** Wakes the one loop that waits until something of its stream changed. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring; at once if it rang since the last wait. */
  heard(): Promise<void>;
}

export function createBell(): Bell {
  let rang = false;
  let wake: (() => void) | null = null;
  return {
    ring() {
      if (wake === null) {
        rang = true;
        return;
      }
      wake();
      wake = null;
    },
    heard() {
      if (rang) {
        rang = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
  };
}
