import type { Batcher, Priority } from '../batching/index.js';
import { DomainError } from '../errors.js';
import type { Frame, InputSpec, Preparer } from '../frames/index.js';
import type { Prediction } from './prediction.js';

/** How one frame wants to be served. */
export interface ClassifyOptions {
  /** Of the caller who waits; an abort takes the frame out of the queue. */
  readonly signal?: AbortSignal | undefined;
  /** On the clock of `performance.now()`; later an answer is useless. */
  readonly deadlineAtMs?: number | undefined;
  readonly priority?: Priority | undefined;
  /** Frames of one stream share a turn in the queue. */
  readonly streamId?: string | undefined;
}

/** A version on loan, as far as a frame needs it; a `Handle` of models/ is one. */
export interface Lent {
  readonly manifest: {
    readonly version: number;
    readonly thresholds: readonly number[];
    readonly inputSpec: InputSpec;
  };
  readonly batcher: Pick<Batcher, 'submit'>;
}

/** What happens to one frame between the edge and the edge. */
export interface Classifier {
  /**
   * Prepares one Frame, queues it, and names the labels at or above their threshold.
   * Takes ownership of the planes' bytes; the Handle stays the caller's.
   *
   * Throws `frame_invalid`, `overloaded`, `cancelled`, `deadline`, `draining` or
   * `model_failed`.
   */
  classify(frame: Frame, lent: Lent, options?: ClassifyOptions): Promise<Prediction>;
}

/** Makes a Classifier. */
export function createClassifier({ preparer }: { readonly preparer: Preparer }): Classifier {
  return {
    async classify(frame, { manifest, batcher }, options = {}) {
      const startedAtMs = performance.now();
      assertInTime(options.deadlineAtMs, startedAtMs);
      const { pixels, qualityFlags } = await preparer.prepare(
        frame,
        manifest.inputSpec,
        options.signal,
      );
      const preparedAtMs = performance.now();
      const { probabilities, batchSize, queueMs, runMs } = await batcher.submit(pixels, options);
      return {
        frameId: frame.id,
        probabilities,
        labelIndices: overThreshold(probabilities, manifest.thresholds),
        version: manifest.version,
        batchSize,
        qualityFlags,
        timings: { prepareMs: preparedAtMs - startedAtMs, queueMs, runMs },
      };
    },
  };
}

function assertInTime(deadlineAtMs: number | undefined, nowMs: number): void {
  if (deadlineAtMs === undefined || nowMs < deadlineAtMs) return;
  throw new DomainError('deadline', "the frame's deadline passed before it was prepared");
}

function overThreshold(probabilities: Float32Array, thresholds: readonly number[]): number[] {
  const indices: number[] = [];
  for (const [index, threshold] of thresholds.entries()) {
    if ((probabilities[index] ?? 0) >= threshold) indices.push(index);
  }
  return indices;
}
