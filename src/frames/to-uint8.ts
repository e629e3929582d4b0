import type { Pixels } from './pixels.js';

/**
 * Brings pixels to 0..255, `full` becoming 255: rounded to nearest, clipped at both ends.
 * Done after resizing, which runs in the pixels' own precision as OpenCV's does: the other
 * way round would round twice.
 */
export function scaleToUint8(pixels: Pixels, full: number, into: Uint8Array): void {
  if (full === 255) {
    into.set(pixels);
    return;
  }
  const factor = 255 / full;
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i]! * factor + 0.5;
    into[i] = value >= 255 ? 255 : value > 0 ? value : 0;
  }
}
