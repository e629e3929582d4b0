import { setMaxListeners } from 'node:events';
import {
  type BatchedRow,
  type Batcher,
  type Clock,
  type Priority,
  systemClock,
  type WhenFull,
} from '../batching/index.js';
import { DomainError } from '../errors.js';
import type { Frame, InputSpec, PreparedFrame, Preparer } from '../frames/index.js';
import { assertFinite } from './assert-finite.js';
import { type ExplainableVersion, type ExplainWish, planExplanation } from './explanation.js';
import type { Prediction } from './prediction.js';
import { type RawLane, submitRaw } from './raw-way.js';
import { withDeadline } from './with-deadline.js';

/** How one frame wants to be served. */
export interface ClassifyOptions {
  /** Of the caller who waits; an abort takes the frame out wherever it is. */
  readonly signal?: AbortSignal | undefined;
  /** On the clock of `performance.now()`; later an answer is useless. */
  readonly deadlineAtMs?: number | undefined;
  readonly priority?: Priority | undefined;
  /** What of its stream is shed for want of room. @default 'refuse' */
  readonly whenFull?: WhenFull | undefined;
  /** Frames of one stream share a turn in the queue. */
  readonly streamId?: string | undefined;
  /** Whether the caller itself tries again what failed with `not_ready`. @default false */
  readonly isRetriedByCaller?: boolean | undefined;
  /** Also says why; it costs runs of its own. @default null */
  readonly explain?: ExplainWish | null | undefined;
}

/** A version on loan, as far as a frame needs it; a `Handle` of models/ is one. */
export interface Lent extends ExplainableVersion {
  readonly manifest: ExplainableVersion['manifest'] & {
    readonly name: string;
    readonly version: number;
    readonly thresholds: readonly number[];
    readonly inputSpec: InputSpec;
  };
  readonly batcher: Pick<Batcher, 'submit' | 'assertInTime'>;
  /** Where raw planes may go as they came, to be resized in the graph. @default nowhere */
  readonly rawLanes?: { laneFor(frame: Frame): RawLane | null };
}

/** What happens to one frame between the edge and the edge. */
export interface Classifier {
  /**
   * Prepares one Frame, queues it, and names the labels at or above their threshold.
   * Takes ownership of the planes' bytes; the Handle stays the caller's.
   *
   * Throws `frame_invalid`, `overloaded`, `cancelled`, `deadline`, `draining`, `model_failed`
   * or `answer_invalid`; before anything is run `unsupported` or `option_invalid` where it cannot be
   * explained as asked.
   */
  classify(frame: Frame, lent: Lent, options?: ClassifyOptions): Promise<Prediction>;
  /**
   * Queues pixels that were prepared elsewhere: uint8 `[C, H, W]` of the version's inputSpec,
   * copied when their batch closes. Throws as `classify`, but gives numbers that are not finite
   * as they are: who asks for many rows may not lose all of them for one.
   */
  classifyPixels(pixels: Uint8Array, lent: Lent, options?: ClassifyOptions): Promise<BatchedRow>;
}

export interface ClassifierCollaborators {
  readonly preparer: Pick<Preparer, 'prepare'>;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/** Makes a Classifier. */
export function createClassifier({
  preparer,
  clock = systemClock,
}: ClassifierCollaborators): Classifier {
  return {
    async classify(frame, lent, options = {}) {
      const { manifest } = lent;
      const explain = options.explain ? planExplanation(options.explain, lent) : null;
      // All frames of a stream share its signal; ten listeners are not a leak.
      if (options.signal) setMaxListeners(0, options.signal);
      const startedAtMs = clock.now();
      const { priority, streamId, deadlineAtMs, whenFull } = options;
      // What explains takes pixels of the model's size.
      const lane = explain ? null : (lent.rawLanes?.laneFor(frame) ?? null);
      const prepare = async (of: Frame, staysRaw: boolean) => {
        // It costs more than many a run: not for what will be refused after it.
        (staysRaw && lane ? lane : lent).batcher.assertInTime(options);
        const limit = withDeadline(options, clock);
        const wish = { priority, streamId, deadlineAtMs, whenFull, staysRaw };
        const prepared = preparer.prepare(of, manifest.inputSpec, limit.signal, wish);
        return prepared.finally(limit.forget);
      };
      let prepareMs = 0;
      const submit = async (of: PreparedFrame, batcher: Lent['batcher']) => {
        prepareMs = clock.now() - startedAtMs;
        return { ...of, row: await batcher.submit(of.pixels, options) };
      };
      const { pixels, qualityFlags, row } = lane
        ? await submitRaw(frame, lane, { prepare, submit, lent })
        : await submit(await prepare(frame, false), lent.batcher);
      assertFinite(row, manifest);
      const labelIndices = overThreshold(row.probabilities, manifest.thresholds);
      const explanation = explain
        ? await untilDeadline(options, clock, (signal) =>
            explain({ pixels, labelIndices, signal, priority, streamId, deadlineAtMs, whenFull }),
          )
        : undefined;
      return {
        frameId: frame.id,
        probabilities: row.probabilities,
        labelIndices,
        distance: row.distance,
        explanation,
        version: manifest.version,
        batchSize: row.batchSize,
        qualityFlags,
        timings: { prepareMs, queueMs: row.queueMs, runMs: row.runMs },
      };
    },
    async classifyPixels(pixels, { manifest, batcher }, options = {}) {
      const { channels, heightPx, widthPx } = manifest.inputSpec;
      const expected = channels.length * heightPx * widthPx;
      if (pixels.byteLength !== expected) {
        throw new DomainError(
          'frame_invalid',
          `expected ${expected} bytes of pixels, got ${pixels.byteLength}`,
        );
      }
      return batcher.submit(pixels, options);
    },
  };
}

/** Does what takes a signal, which aborts at the frame's deadline as well. */
async function untilDeadline<T>(
  options: ClassifyOptions,
  clock: Clock,
  act: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const limit = withDeadline(options, clock);
  return act(limit.signal).finally(limit.forget);
}

function overThreshold(probabilities: Float32Array, thresholds: readonly number[]): number[] {
  const indices: number[] = [];
  for (const [index, threshold] of thresholds.entries()) {
    if ((probabilities[index] ?? 0) >= threshold) indices.push(index);
  }
  return indices;
}
