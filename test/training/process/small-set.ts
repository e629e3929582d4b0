import type { FrameSet } from '../../../src/training/process/frame-set.js';
import { memorySource, toShared } from '../../../src/training/process/frame-source.js';

/** The smallest frames that seed-cnn takes. */
export const smallShape = { channels: 4, heightPx: 32, widthPx: 32, labelCount: 3 };

/**
 * Frames whose one label shows: label 0 is bright in the first channel, label 1 in the
 * second, label 2 nowhere. Pixels follow from the frame's number alone.
 */
export function createSmallSet(
  frameCount: number,
  first = 0,
): FrameSet & { readonly pixels: readonly Uint8Array[] } {
  const planePixels = smallShape.heightPx * smallShape.widthPx;
  const frameBytes = smallShape.channels * planePixels;
  const numbers = Array.from({ length: frameCount }, (_, index) => first + index);
  const labelOf = (number: number) => number % smallShape.labelCount;
  const pixels = numbers.map((number) =>
    Uint8Array.from({ length: frameBytes }, (_, at) => {
      const noise = Math.imul(at + 1, Math.imul(number + 1, 2654435761)) >>> 26;
      return Math.floor(at / planePixels) === labelOf(number) && labelOf(number) < 2
        ? 150 + noise
        : noise;
    }),
  );
  return {
    frames: numbers.map((number) => ({
      id: `frame-${number}`,
      labelIndices: [labelOf(number)],
      group: null,
    })),
    pixels,
    source: memorySource(pixels.map(toShared), frameBytes),
    places: numbers.map((_, place) => place),
    targets: Uint8Array.from({ length: frameCount * smallShape.labelCount }, (_, at) =>
      Number(
        labelOf(numbers[Math.floor(at / smallShape.labelCount)] ?? 0) ===
          at % smallShape.labelCount,
      ),
    ),
    labelCount: smallShape.labelCount,
    frameBytes,
  };
}
