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

/** The value that means white; null where the significant bits do not fit the pixels. */
export function fullValue(pixels: Pixels, significantBits: number): number | null {
  if (pixels instanceof Float32Array) return 1;
  const bits = pixels.BYTES_PER_ELEMENT * 8;
  if (significantBits > bits) return null;
  return 2 ** (significantBits === 0 ? bits : significantBits) - 1;
}

/**
 * What `scaleToUint8` makes of each value that a pixel can have: 256 levels of 8-bit pixels,
 * 65,536 of 16-bit ones; null where 8-bit pixels stay as they are.
 */
export function levelsOf(
  pixelType: 'uint8' | 'uint16',
  significantBits: number,
): Uint8Array | null {
  const all = pixelType === 'uint8' ? new Uint8Array(256) : new Uint16Array(65_536);
  const full = fullValue(all, significantBits);
  if (full === 255 && pixelType === 'uint8') return null;
  const levels = new Uint8Array(all.length);
  scaleToUint8(
    all.map((_, value) => value),
    full ?? all.length - 1,
    levels,
  );
  return levels;
}
