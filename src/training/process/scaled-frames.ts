/** Area of the frames that the counts of the training are measured at, pixels. */
const usualPixels = 128 * 128;

/** Frames of that area whose activations are kept until their gradients are there. */
export const usualFramesPerPass = 32;

/**
 * How many frames go together where it is so many of 128×128: fewer of larger ones, so that
 * their activations take no more memory; never more, since smaller ones gain nothing.
 */
export function scaledFrames(
  count: number,
  { heightPx, widthPx }: { readonly heightPx: number; readonly widthPx: number },
): number {
  return Math.max(1, Math.floor(count * Math.min(1, usualPixels / (heightPx * widthPx))));
}
