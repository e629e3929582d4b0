import { setImmediate, setTimeout } from 'node:timers/promises';

/** How much of the time a training takes while frames are being served beside it. */
export interface Pace {
  /** Hears whether frames are being served now. */
  setServing(isServing: boolean): void;
  /**
   * Rests after a step of so many milliseconds: while frames are served so long that
   * steps take their share of the time, else for one turn of the event loop, in which
   * messages are heard. Ends early when a stop is requested or frames are served no longer.
   */
  rest(stepMs: number): Promise<void>;
}

export interface PaceCollaborators {
  isStopRequested(): boolean;
  /** Waits until the time is over or the signal aborts; never rejects. @default a timer */
  readonly pause?: (delayMs: number, signal: AbortSignal) => Promise<unknown>;
}

/** A stop is noticed so soon within a rest. */
const longestPauseMs = 250;

/** Makes a Pace. `share` is the part of the time that steps may take, above 0 and up to 1. */
export function createPace(
  share: number,
  { isStopRequested, pause = pauseFor }: PaceCollaborators,
): Pace {
  /** Aborted when nobody is served any more; null while nobody is. */
  let serving: AbortController | null = null;
  return {
    setServing(isServing) {
      if (isServing) serving ??= new AbortController();
      else {
        serving?.abort();
        serving = null;
      }
    },
    async rest(stepMs) {
      await setImmediate();
      let leftMs = stepMs * (1 / share - 1);
      while (leftMs > 0 && serving !== null && !isStopRequested()) {
        await pause(Math.min(leftMs, longestPauseMs), serving.signal);
        leftMs -= longestPauseMs;
      }
    },
  };
}

const pauseFor = (delayMs: number, signal: AbortSignal): Promise<unknown> =>
  setTimeout(delayMs, undefined, { signal }).catch(() => {});
