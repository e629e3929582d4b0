import { createOnnxGraphRunner, type DeviceName } from '../../engines/index.js';
import { type Report, score } from '../../evaluation/index.js';
import type { LabelSet } from '../../label-set.js';
import type { FrameSet } from './frame-set.js';
import { runOver } from './run-over.js';

/** A label is predicted at or above it; the usual rule for every label. */
export const defaultThreshold = 0.5;

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
    device,
    shape,
  }: {
    readonly threads: number;
    readonly device: DeviceName;
    /** `[C, H, W]`. */
    readonly shape: readonly [channels: number, heightPx: number, widthPx: number];
  },
): Promise<Validation> {
  const runner = await createOnnxGraphRunner(model, { device, threads });
  try {
    const rows = Array.from(set.frames.keys());
    const probabilities = await runOver({ set, rows }, { output: 'probabilities', shape }, runner);
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
