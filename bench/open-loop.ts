import { once } from 'node:events';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClassifyResponse, Outcome } from '../src/gen/cytostream/v1/classifier.js';
import { encodeOptions, type RawClient } from './raw-client.js';

/** When the frames of a stream come; see `measureOpenLoop`. */
export type Arrivals = 'clocked' | 'random';

/** What frames that come by the clock met. */
export interface OpenLoopResult {
  readonly frames: number;
  /** Frames without an answer, or with one that is not ok. */
  readonly lost: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * Streams frames that come by the clock, whether or not the answers before them have:
 * a frame's time runs from the moment it was due, so that a server that stalls is
 * charged for every frame that waited for it (no coordinated omission). Clocked: each
 * stream sends at even intervals from a random start, as a microscope does. Random: each
 * waits exponentially long between two, which makes bunches that wait even where the
 * server costs nothing.
 */
export async function measureOpenLoop(
  client: RawClient,
  {
    model,
    frame,
    framesPerSecond,
    seconds,
    streams,
    arrivals,
    random,
  }: {
    readonly model: string;
    /** One encoded request. */
    readonly frame: Buffer;
    readonly framesPerSecond: number;
    readonly seconds: number;
    readonly streams: number;
    readonly arrivals: Arrivals;
    /** Uniform in 0..1. */
    readonly random: () => number;
  },
): Promise<OpenLoopResult> {
  // In microseconds: a histogram holds whole numbers.
  const times = createHistogram();
  let answered = 0;
  let sent = 0;
  const runStream = async () => {
    // Answers come in order, so the oldest frame without one is the one that is answered.
    const dueAtMs: number[] = [];
    const stream = client.openStream();
    stream.on('data', (bytes: Buffer) => {
      const { message } = ClassifyResponse.decode(bytes);
      if (message?.$case !== 'prediction') return;
      const due = dueAtMs.shift();
      if (due === undefined || message.value.outcome !== Outcome.OK) return;
      answered += 1;
      times.record(Math.max(1, Math.round((performance.now() - due) * 1000)));
    });
    const ended = once(stream, 'end');
    stream.write(encodeOptions({ model, delivery: 'inOrder', maxInFlight: 256 }));
    const intervalMs = (streams * 1000) / framesPerSecond;
    for await (const dueMs of framesDue({ intervalMs, seconds, arrivals, random })) {
      dueAtMs.push(dueMs);
      stream.write(frame);
      sent += 1;
    }
    stream.end();
    await ended;
  };
  await Promise.all(Array.from({ length: streams }, runStream));
  return {
    frames: sent,
    lost: sent - answered,
    p50Ms: times.percentile(50) / 1000,
    p99Ms: times.percentile(99) / 1000,
    maxMs: times.max / 1000,
  };
}

/** Yields when each frame of a stream is due, at that moment; on the clock of `performance.now()`. */
export async function* framesDue({
  intervalMs,
  seconds,
  arrivals,
  random,
}: {
  readonly intervalMs: number;
  readonly seconds: number;
  readonly arrivals: Arrivals;
  readonly random: () => number;
}): AsyncGenerator<number> {
  const startMs = performance.now();
  let nextDueMs = startMs - random() * intervalMs;
  for (;;) {
    nextDueMs += arrivals === 'clocked' ? intervalMs : -Math.log(1 - random()) * intervalMs;
    if (nextDueMs > startMs + seconds * 1000) return;
    const waitMs = nextDueMs - performance.now();
    if (waitMs > 0.5) await sleep(waitMs);
    // A timer that fires early sends early; a late one is the frame's own waiting time.
    yield Math.min(nextDueMs, performance.now());
  }
}
