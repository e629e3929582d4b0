import { type Clock, systemClock } from '../batching/index.js';
import type { Classifier } from '../classify/index.js';

/** Whether frames wait or were answered just now, for what should make room for them. */
export interface ServingWatch {
  readonly isServing: boolean;
  /** The same Classifier, whose frames are heard of. */
  hear(classifier: Classifier): Classifier;
  /** Calls `listener` at each change. Returns what ends that. */
  onChange(listener: (isServing: boolean) => void): () => void;
}

/**
 * Makes a ServingWatch: serving lasts from when a frame comes, through all its wait, until
 * `quietMs` after the last was answered, the longest silence between two frames of a
 * microscope that still counts.
 */
export function createServingWatch(
  { quietMs = 1000 } = {},
  { clock = systemClock }: { readonly clock?: Clock } = {},
): ServingWatch {
  const listeners = new Set<(isServing: boolean) => void>();
  let isServing = false;
  let waiting = 0;
  let answeredAtMs = 0;
  let isLooking = false;
  const change = (next: boolean) => {
    isServing = next;
    for (const listener of listeners) listener(next);
  };
  // One timer for a stretch of serving, not one a frame.
  const lookAt = (atMs: number) => {
    isLooking = true;
    clock.callAt(atMs, () => {
      isLooking = false;
      if (waiting > 0) return; // the last of them looks again
      if (clock.now() < answeredAtMs + quietMs) lookAt(answeredAtMs + quietMs);
      else change(false);
    });
  };
  const watched = async <T>(serve: () => Promise<T>): Promise<T> => {
    waiting += 1;
    if (!isServing) change(true);
    try {
      return await serve();
    } finally {
      waiting -= 1;
      if (waiting === 0) {
        answeredAtMs = clock.now();
        if (!isLooking) lookAt(answeredAtMs + quietMs);
      }
    }
  };
  return {
    get isServing() {
      return isServing;
    },
    hear: ({ classify, classifyPixels }) => ({
      classify: (...frame) => watched(() => classify(...frame)),
      classifyPixels: (...pixels) => watched(() => classifyPixels(...pixels)),
    }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
