import type { Frame, InputSpec } from '../src/frames/index.js';

export const smallLabels = ['Nucleoplasm', 'Cytosol', 'Mitochondria'];
export const smallInput: InputSpec = {
  channels: ['microtubules', 'protein', 'nucleus', 'endoplasmic_reticulum'],
  widthPx: 8,
  heightPx: 8,
  resize: 'bilinear',
};
/** Bytes of one frame of `smallInput`. */
export const smallRowBytes = 4 * 8 * 8;

/** Pixels of so many rows, each its own; the same for the same seed. */
export function smallRows(rowCount: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: rowCount * smallRowBytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** A raw frame of the size of `smallInput`, each plane filled with its own values. */
export function smallFrame(id: string, seed: number): Frame {
  return {
    id,
    widthPx: smallInput.widthPx,
    heightPx: smallInput.heightPx,
    pixelType: 'uint8',
    significantBits: 0,
    encoding: 'raw',
    planes: smallInput.channels.map((channel, index) => ({
      channel,
      bytes: Uint8Array.from({ length: 64 }, (_, at) => (seed * 31 + index * 7 + at) % 256),
    })),
  };
}
