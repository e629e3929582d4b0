import { createHistogram } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../src/client/index.js';
import type { Frame } from '../src/frames/index.js';

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
 * charged for every frame that waited for it (no coordinated omission). Arrivals are
 * drawn from an exponential distribution, as independent microscopes would make them.
 */
export async function measureOpenLoop(
  client: Client,
  {
    model,
    frame,
    framesPerSecond,
    seconds,
    streams,
    random,
  }: {
    readonly model: string;
    readonly frame: Frame;
    readonly framesPerSecond: number;
    readonly seconds: number;
    readonly streams: number;
    /** Uniform in 0..1. */
    readonly random: () => number;
  },
): Promise<OpenLoopResult> {
  // In microseconds: a histogram holds whole numbers.
  const times = createHistogram();
  let answered = 0;
  let sent = 0;
  const streamOf = async () => {
    const dueAtMs = new Map<string, number>();
    let nextDueMs = performance.now();
    const endMs = nextDueMs + seconds * 1000;
    async function* arrivals(): AsyncGenerator<Frame> {
      for (;;) {
        nextDueMs += (-Math.log(1 - random()) * streams * 1000) / framesPerSecond;
        if (nextDueMs > endMs) return;
        const waitMs = nextDueMs - performance.now();
        if (waitMs > 1) await sleep(waitMs - 1);
        while (performance.now() < nextDueMs) await nextTurn();
        const id = String(sent++);
        dueAtMs.set(id, nextDueMs);
        yield { ...frame, id };
      }
    }
    for await (const reply of client.classify({ model, maxInFlight: 256 }, arrivals())) {
      if (reply.kind !== 'prediction') continue;
      const { frameId, outcome } = reply.prediction;
      const due = dueAtMs.get(frameId);
      if (due === undefined || outcome !== 'ok') continue;
      dueAtMs.delete(frameId);
      answered += 1;
      times.record(Math.max(1, Math.round((performance.now() - due) * 1000)));
    }
  };
  await Promise.all(Array.from({ length: streams }, streamOf));
  return {
    frames: sent,
    lost: sent - answered,
    p50Ms: times.percentile(50) / 1000,
    p99Ms: times.percentile(99) / 1000,
    maxMs: times.max / 1000,
  };
}
