import type { Precision } from '../engines/index.js';
import type { InputSpec } from '../frames/index.js';

/**
 * How far a golden probability may lie from the recorded one. Another processor adds
 * floats in another order, which moves a probability by about 1e-6; a wrong weight, a
 * swapped channel or half precision moves one by 1e-3 and more.
 */
export const goldenTolerance = 1e-4;

/**
 * The same where the network runs in half precision. Trained networks of our own moved by
 * 2e-5, with every result of a convolution rounded to 11 bits; deeper ones made elsewhere move
 * by more. It lies far below what two trainings of one network differ by.
 */
export const halfTolerance = 2e-3;

/** How far a golden probability may lie from the recorded one, which is of full precision. */
export const goldenToleranceIn = (precision: Precision): number =>
  precision === 'half' ? halfTolerance : goldenTolerance;

/**
 * The frame that every version is checked with: uint8 `[C, H, W]`, the same on every
 * machine. A slope that differs from channel to channel, so that swapped channels and
 * axes are seen, under noise from a fixed 32-bit linear congruential generator
 * (Numerical Recipes, 2nd edition, section 7.1).
 */
export function createGoldenFrame({ channels, widthPx, heightPx }: InputSpec): Uint8Array {
  const pixels = new Uint8Array(channels.length * heightPx * widthPx);
  let state = 1;
  for (let index = 0; index < pixels.length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const x = index % widthPx;
    const y = Math.floor(index / widthPx) % heightPx;
    const channel = Math.floor(index / (widthPx * heightPx));
    const slope = (x * (channel + 1)) / widthPx + y / heightPx;
    pixels[index] = Math.floor((slope * 40 + (state >>> 25)) % 256);
  }
  return pixels;
}

/** Where the outputs lie furthest apart; NaN counts as infinitely far. */
export function largestDifference(
  output: ArrayLike<number>,
  expected: ArrayLike<number>,
): { readonly index: number; readonly difference: number } {
  let worst = { index: 0, difference: 0 };
  for (let index = 0; index < Math.max(output.length, expected.length); index += 1) {
    const distance = Math.abs((output[index] ?? Number.NaN) - (expected[index] ?? Number.NaN));
    const difference = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    if (difference > worst.difference) worst = { index, difference };
  }
  return worst;
}
