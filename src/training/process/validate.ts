import { createOnnxGraphRunner } from '../../engines/index.js';
import { DomainError } from '../../errors.js';
import { type Report, score } from '../../evaluation/index.js';
import type { LabelSet } from '../../label-set.js';
import { createBatchBuffers, type FrameSet, gatherBatch } from './frame-set.js';

/** A label is predicted at or above it; the seed's rule for every label. */
export const defaultThreshold = 0.5;

/** Frames a run of the graph: on a CPU a larger batch is no faster. */
const batchSize = 32;

/** What a graph answers to the frames of a set. */
export interface Validation {
  /** float32 `[N, L]`. */
  readonly probabilities: Float32Array;
  /** null where an answer is not a number: such weights have no score. */
  readonly report: Report | null;
}

/** Runs the served form of a network over a set. Blocks its thread a batch at a time. */
export async function validate(
  {
    model,
    set,
    labels,
  }: {
    /** As `buildInference` gives it. */
    readonly model: Uint8Array;
    readonly set: FrameSet;
    readonly labels: LabelSet;
  },
  {
    threads,
    shape,
  }: {
    readonly threads: number;
    /** `[C, H, W]`. */
    readonly shape: readonly number[];
  },
): Promise<Validation> {
  const runner = await createOnnxGraphRunner(model, { threads });
  try {
    const frameCount = set.pixels.length;
    const probabilities = new Float32Array(frameCount * labels.length);
    const buffers = createBatchBuffers(set, Math.min(batchSize, frameCount));
    for (let start = 0; start < frameCount; start += batchSize) {
      const count = Math.min(batchSize, frameCount - start);
      const rows = Array.from({ length: count }, (_, at) => start + at);
      const { pixels } = gatherBatch(set, rows, buffers);
      const { probabilities: answer } = await runner.run({
        pixels: { type: 'uint8', shape: [count, ...shape], values: pixels },
      });
      if (answer?.type !== 'float32') {
        throw new DomainError('internal', 'bug: the graph gave no probabilities');
      }
      probabilities.set(answer.values, start * labels.length);
    }
    return { probabilities, report: scoreAll(probabilities, set.targets, labels) };
  } finally {
    await runner.close();
  }
}

function scoreAll(
  probabilities: Float32Array,
  targets: Uint8Array,
  labels: LabelSet,
): Report | null {
  if (!probabilities.every(Number.isFinite)) return null;
  const thresholds = labels.map(() => defaultThreshold);
  return score({ probabilities, targets, labels, thresholds });
}
