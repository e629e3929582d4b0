import type { Frame, InputSpec } from '../frames/index.js';

/** What frames of one lane have in common. */
export interface RawFormat {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly pixelType: 'uint8' | 'uint16';
  /** Significant bits, 1 to those of the type. */
  readonly bits: number;
}

/**
 * The golden frame (uint8 `[C, H, W]`) as planes of another size and type: each of its pixels
 * repeated over its part of the plane, black staying black and white white. Where the size is a
 * multiple of the model's, resizing by either rule gives the golden frame back.
 */
export function spreadGolden(
  golden: Uint8Array,
  { channels, widthPx, heightPx }: InputSpec,
  format: RawFormat,
): Frame {
  const { widthPx: width, heightPx: height, pixelType, bits } = format;
  const scale = (2 ** bits - 1) / 255;
  const columns = Int32Array.from({ length: width }, (_, x) => Math.floor((x * widthPx) / width));
  const planes = channels.map((channel, at) => {
    const length = width * height;
    const pixels = pixelType === 'uint8' ? new Uint8Array(length) : new Uint16Array(length);
    let before = -1;
    for (let y = 0; y < height; y += 1) {
      const row = Math.floor((y * heightPx) / height);
      const begin = y * width;
      // Rows that are the same are copied.
      if (row === before) pixels.copyWithin(begin, begin - width, begin);
      else {
        const line = (at * heightPx + row) * widthPx;
        for (let x = 0; x < width; x += 1) {
          pixels[begin + x] = Math.round((golden[line + columns[x]!] ?? 0) * scale);
        }
      }
      before = row;
    }
    return { channel, bytes: new Uint8Array(pixels.buffer) };
  });
  const significantBits = bits === 8 * (pixelType === 'uint8' ? 1 : 2) ? 0 : bits;
  return {
    ...{ id: 'golden', widthPx: width, heightPx: height },
    ...{ pixelType, significantBits, encoding: 'raw', planes },
  };
}
