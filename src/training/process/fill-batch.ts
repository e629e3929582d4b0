import { randomOf } from '../../graph/index.js';
import { drawVariation, type FrameSize, type VariationRange, varyFrame } from './augment.js';
import { readShared, type SharedFrames } from './frame-source.js';

/** Chance of an epoch's variations: beyond the streams of weights, masks and orders. */
const firstStream = 500_000;

/** What is to be put together as one batch. */
export interface BatchOrder {
  /** In the order of the batch. */
  readonly frames: SharedFrames;
  readonly frameCount: number;
  readonly size: FrameSize;
  /**
   * How frames are varied; null leaves them as they are. `first` is how many frames of the
   * epoch come before: seed, epoch and a frame's number in the epoch settle its variation,
   * whoever draws it.
   */
  readonly variation: {
    readonly seed: number;
    readonly epoch: number;
    readonly first: number;
    readonly range: VariationRange;
  } | null;
}

/** Puts a batch together, in any thread: uint8 `[N, C, H, W]`. */
export function fillBatch({
  frames,
  frameCount,
  size,
  variation,
}: BatchOrder): Uint8Array<ArrayBuffer> {
  const frameBytes = size.channels * size.heightPx * size.widthPx;
  const batch = new Uint8Array(frameCount * frameBytes);
  const original = variation ? new Uint8Array(frameBytes) : null;
  for (let at = 0; at < frameCount; at += 1) {
    const into = batch.subarray(at * frameBytes, (at + 1) * frameBytes);
    if (!variation || !original) {
      readShared(frames, at, into);
      continue;
    }
    readShared(frames, at, original);
    const random = randomOf(variation.seed, firstStream + variation.epoch, variation.first + at);
    varyFrame(original, size, drawVariation(random, size, variation.range), into);
  }
  return batch;
}
