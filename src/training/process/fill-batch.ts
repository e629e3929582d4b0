import { randomOf } from '../../graph/index.js';
import { drawVariation, type FrameSize, type VariationRange, varyFrame } from './augment.js';

/** Chance of an epoch's variations: beyond the streams of weights, masks and orders. */
const firstStream = 500_000;

/** What is to be put together as one batch. */
export interface BatchOrder {
  /** Frames by their number in the source, in the order of the batch. */
  readonly places: readonly number[];
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

/** Puts a batch together: uint8 `[N, C, H, W]`. */
export function fillBatch(
  { places, size, variation }: BatchOrder,
  read: (place: number, into: Uint8Array) => void,
): Uint8Array<ArrayBuffer> {
  const frameBytes = size.channels * size.heightPx * size.widthPx;
  const batch = new Uint8Array(places.length * frameBytes);
  const original = variation ? new Uint8Array(frameBytes) : null;
  for (const [at, place] of places.entries()) {
    const into = batch.subarray(at * frameBytes, (at + 1) * frameBytes);
    if (!variation || !original) {
      read(place, into);
      continue;
    }
    read(place, original);
    const random = randomOf(variation.seed, firstStream + variation.epoch, variation.first + at);
    varyFrame(original, size, drawVariation(random, size, variation.range), into);
  }
  return batch;
}
