import { deflateSync } from 'node:zlib';

export interface TiffOptions {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Pixels row by row; their array type gives the depth and the sample format. */
  readonly pixels: Uint8Array | Uint16Array | Int16Array | Float32Array | Float64Array;
  /** @default false */
  readonly isBigEndian?: boolean;
  /** BigTIFF: offsets of 64 bits. @default false */
  readonly isBig?: boolean;
  /** Rows of a strip, or the edge of a tile. @default one strip */
  readonly rowsPerStrip?: number;
  /** A multiple of 16. @default strips */
  readonly tilePx?: number;
  /** TIFF's number: 1 none, 8 Deflate; others are only claimed. @default 1 */
  readonly compression?: number;
}

type Tag = readonly [number: number, type: 3 | 4 | 16, values: readonly number[]];
const typeBytes = { 3: 2, 4: 4, 16: 8 } as const;

/** A grey TIFF of one page, byte by byte (TIFF 6.0, section 2; BigTIFF by its proposal). */
export function buildTiff(options: TiffOptions): Uint8Array {
  const { widthPx, heightPx, pixels, isBigEndian = false, isBig = false } = options;
  const { compression = 1, tilePx, rowsPerStrip = heightPx } = options;
  const each = pixels.BYTES_PER_ELEMENT;
  const bytes = Buffer.from(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength));
  if (isBigEndian && each === 2) bytes.swap16();
  if (isBigEndian && each === 4) bytes.swap32();
  const row = (y: number, from: number, count: number) =>
    bytes.subarray((y * widthPx + from) * each, (y * widthPx + from + count) * each);
  const parts: Uint8Array[] = [];
  if (tilePx === undefined) {
    for (let y = 0; y < heightPx; y += rowsPerStrip) {
      const end = Math.min(heightPx, y + rowsPerStrip);
      parts.push(bytes.subarray(y * widthPx * each, end * widthPx * each));
    }
  } else {
    for (let top = 0; top < heightPx; top += tilePx) {
      for (let left = 0; left < widthPx; left += tilePx) {
        const tile = Buffer.alloc(tilePx * tilePx * each);
        for (let y = top; y < Math.min(top + tilePx, heightPx); y++) {
          tile.set(row(y, left, Math.min(tilePx, widthPx - left)), (y - top) * tilePx * each);
        }
        parts.push(tile);
      }
    }
  }
  const packed = compression === 8 ? parts.map((part) => deflateSync(part)) : parts;
  const headBytes = isBig ? 16 : 8;
  const offsets: number[] = [];
  let at = headBytes;
  for (const part of packed) {
    offsets.push(at);
    at += part.length;
  }
  const sampleFormat =
    pixels instanceof Float32Array || pixels instanceof Float64Array
      ? 3
      : pixels instanceof Int16Array
        ? 2
        : 1;
  const tags: Tag[] = [
    [256, 4, [widthPx]],
    [257, 4, [heightPx]],
    [258, 3, [each * 8]],
    [259, 3, [compression]],
    [262, 3, [1]],
    ...(tilePx === undefined ? ([[273, 4, offsets]] as Tag[]) : []),
    [277, 3, [1]],
    ...(tilePx === undefined
      ? ([
          [278, 4, [rowsPerStrip]],
          [279, 4, packed.map((part) => part.length)],
        ] as Tag[])
      : ([
          [322, 4, [tilePx]],
          [323, 4, [tilePx]],
          [324, 4, offsets],
          [325, 4, packed.map((part) => part.length)],
        ] as Tag[])),
    [339, 3, [sampleFormat]],
  ];
  const file = Buffer.alloc(at + 16 + tags.length * 20 + 8 + packed.length * 16);
  const write = (position: number, size: 2 | 4 | 8, value: number) => {
    if (size === 8) {
      if (isBigEndian) file.writeBigUInt64BE(BigInt(value), position);
      else file.writeBigUInt64LE(BigInt(value), position);
    } else if (isBigEndian) file.writeUIntBE(value, position, size);
    else file.writeUIntLE(value, position, size);
  };
  const word = isBig ? 8 : 4;
  file.write(isBigEndian ? 'MM' : 'II', 0, 'latin1');
  write(2, 2, isBig ? 43 : 42);
  if (isBig) write(4, 2, 8);
  write(isBig ? 8 : 4, word, at);
  packed.forEach((part, i) => {
    file.set(part, offsets[i]!);
  });
  write(at, isBig ? 8 : 2, tags.length);
  let entry = at + (isBig ? 8 : 2);
  let spare = entry + tags.length * (isBig ? 20 : 12) + word;
  for (const [number, type, values] of tags) {
    write(entry, 2, number);
    write(entry + 2, 2, type);
    write(entry + 4, word, values.length);
    const size = typeBytes[type];
    const isInline = values.length * size <= word;
    const from = isInline ? entry + 4 + word : spare;
    if (!isInline) {
      write(entry + 4 + word, word, spare);
      spare += values.length * size;
    }
    values.forEach((value, i) => {
      write(from + i * size, size, value);
    });
    entry += isBig ? 20 : 12;
  }
  return Uint8Array.from(file.subarray(0, spare));
}
