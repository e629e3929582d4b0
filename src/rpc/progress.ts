import { createBell } from './classify/bell.js';

/** How far something long is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly framesPerSecond: number;
}

/** At most five a second: more is noise to a person and load to a script. */
const minIntervalMs = 200;

/**
 * Runs something long and yields its progress, the newest at most every 200 ms, and last
 * its result. A slow reader skips progress, never the result. Throws what `run` throws.
 */
export async function* streamProgress<Result>(
  run: (onProgress: (done: number, total: number) => void) => Promise<Result>,
): AsyncGenerator<
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'result'; readonly result: Result }
> {
  const bell = createBell();
  const startedAtMs = performance.now();
  let newest: Progress | null = null;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let settled: { readonly result: Result } | { readonly error: unknown } | null = null;
  run((done, total) => {
    const seconds = (performance.now() - startedAtMs) / 1000;
    newest = { done, total, framesPerSecond: seconds > 0 ? done / seconds : 0 };
    if (done === total || performance.now() - toldAtMs >= minIntervalMs) bell.ring();
  }).then(
    (result) => {
      settled = { result };
      bell.ring();
    },
    (error: unknown) => {
      settled = { error };
      bell.ring();
    },
  );
  // Both change in the callbacks above, which the compiler does not follow.
  const take = () => newest as Progress | null;
  const outcome = () => settled as { readonly result: Result } | { readonly error: unknown } | null;
  for (;;) {
    await bell.heard();
    const progress = take();
    if (progress !== null) {
      newest = null;
      toldAtMs = performance.now();
      yield { kind: 'progress', progress };
    }
    const end = outcome();
    if (end === null) continue;
    if ('error' in end) throw end.error;
    yield { kind: 'result', result: end.result };
    return;
  }
}
