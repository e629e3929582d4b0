import type { Clock } from '../../batching/index.js';

/** One timer for many deadlines. */
export interface Alarm {
  /** Rings at this time, unless it rings before: whoever hears it sets it for what is left. */
  set(atMs: number): void;
  forget(): void;
}

/** Makes an Alarm. A deadline of `Infinity` never comes. */
export function createAlarm(onRing: () => void, { clock }: { readonly clock: Clock }): Alarm {
  let ringsAtMs = Number.POSITIVE_INFINITY;
  let forgetTimer = () => {};
  return {
    set(atMs) {
      if (atMs >= ringsAtMs) return;
      forgetTimer();
      ringsAtMs = atMs;
      forgetTimer = clock.callAt(atMs, () => {
        ringsAtMs = Number.POSITIVE_INFINITY;
        onRing();
      });
    },
    forget() {
      forgetTimer();
      ringsAtMs = Number.POSITIVE_INFINITY;
    },
  };
}
