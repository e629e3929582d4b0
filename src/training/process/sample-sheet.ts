import { join } from 'node:path';
import { type Dataset, readFrame } from '../../dataset/index.js';
import { labelsOver } from '../../evaluation/index.js';
import { writeDurably } from '../../files/index.js';
import { type CaptionLine, contactSheet, toThumbnail } from '../../plots/index.js';
import type { FrameSet } from './frame-set.js';

const sampleCount = 24;
const thumbnailPx = 160;

/**
 * Draws frames from all over the validation part with their true and their predicted
 * labels into a run's folder, as `validation-frames.png`.
 *
 * Throws `storage_failed`, and what reading a frame throws.
 */
export async function drawSamples(
  folder: string,
  {
    dataset,
    validation,
    probabilities,
    thresholds,
  }: {
    readonly dataset: Dataset;
    readonly validation: FrameSet;
    /** `[N, L]`. */
    readonly probabilities: Float64Array;
    readonly thresholds: readonly number[];
  },
): Promise<void> {
  const { labels } = dataset;
  const cells = [];
  for (const row of spread(validation.frames.length, sampleCount)) {
    const frame = validation.frames[row];
    if (frame === undefined) continue;
    const answer = probabilities.subarray(row * labels.length, (row + 1) * labels.length);
    cells.push({
      thumbnail: await toThumbnail(await readFrame(dataset, frame), thumbnailPx),
      caption: [
        { text: frame.id, tone: 'quiet' as const },
        { text: names(labels, frame.labelIndices), tone: 'plain' as const },
        predicted(labels, frame.labelIndices, labelsOver(answer, thresholds)),
      ],
    });
  }
  const title = 'Validation frames: true labels, and below them the predicted';
  await writeDurably(join(folder, 'validation-frames.png'), [await contactSheet(cells, { title })]);
}

function predicted(
  labels: readonly string[],
  truth: readonly number[],
  guess: readonly number[],
): CaptionLine {
  const isRight = `${truth}` === `${guess}`;
  return { text: names(labels, guess), tone: isRight ? 'right' : 'wrong' };
}

function names(labels: readonly string[], indices: readonly number[]): string {
  return indices.map((index) => labels[index] ?? `label ${index}`).join(', ') || 'no label';
}

/** Up to `count` rows, evenly spread over all. */
function spread(total: number, count: number): readonly number[] {
  const taken = Math.min(total, count);
  return Array.from({ length: taken }, (_, at) => Math.floor((at * total) / taken));
}
