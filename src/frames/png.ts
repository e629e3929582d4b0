import { crc32, inflateSync } from 'node:zlib';
import { readPngHeader } from './file-header.js';
import type { SizePx } from './pixels.js';
import { undoFilters } from './png-filters.js';

/** A plane decoded to whole pixels of its own depth. */
export interface GreyPlane extends SizePx {
  readonly pixels: Uint8Array | Uint16Array;
}

/** Why a PNG was not decoded here: another decoder may, or none can. */
export type PngRefusal = { readonly isUnfit: true } | { readonly fault: string };

const chunk = {
  imageData: 0x49444154,
  end: 0x49454e44,
  colourProfile: 0x69434350,
  transparency: 0x74524e53,
} as const;

/**
 * Decodes the PNG that microscopes write, plain grey of 8 or 16 bits without interlacing, at
 * a third of the cost of a general decoder; blocks for milliseconds, so for workers only.
 * Checks what a stranger may have sent: the checksum of every chunk, the end of the file, and
 * that the data inflate to exactly the header's size, never to more.
 *
 * Unfit (for a general decoder): interlaced, fewer than 8 bits, colour, a palette,
 * transparency, or a colour profile. The caller has checked the header's size against its
 * limit. Formats: w3.org/TR/png-3, sections 5 to 9.
 */
export function decodeGreyPng(bytes: Uint8Array): GreyPlane | PngRefusal {
  const header = readPngHeader(bytes);
  if (header === null) return { fault: 'expected a png header, got a truncated file' };
  const { widthPx, heightPx, bitDepth, colourType, isInterlaced } = header;
  const data = readImageData(bytes);
  if ('fault' in data) return data;
  const isDepthFit = bitDepth === 8 || bitDepth === 16;
  if (colourType !== 0 || !isDepthFit || isInterlaced || data.hasColours) return { isUnfit: true };

  const bytesPerPixel = bitDepth / 8;
  const byteLength = heightPx * (1 + widthPx * bytesPerPixel);
  let filtered: Uint8Array;
  try {
    filtered = inflateSync(data.parts.length === 1 ? data.parts[0]! : Buffer.concat(data.parts), {
      maxOutputLength: byteLength,
      // one chunk for all of it, so that nothing is joined afterwards
      chunkSize: Math.max(64, byteLength),
    });
  } catch {
    return { fault: 'expected whole png data, got damaged or truncated data' };
  }
  if (filtered.byteLength !== byteLength) {
    return {
      fault: `expected png data of ${byteLength} bytes, got ${filtered.byteLength}`,
    };
  }
  const plain = undoFilters(filtered, {
    rowBytes: widthPx * bytesPerPixel,
    heightPx,
    bytesPerPixel,
  });
  if (plain === null) return { fault: 'expected png filters 0 to 4, got another' };
  return { widthPx, heightPx, pixels: bitDepth === 8 ? plain : fromBigEndian(plain) };
}

/** The compressed data of all IDAT chunks, once every chunk up to the end has been checked. */
function readImageData(
  bytes: Uint8Array,
):
  | { readonly parts: readonly Uint8Array[]; readonly hasColours: boolean }
  | { readonly fault: string } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let hasColours = false;
  for (let at = 8; ; ) {
    const length = at + 12 <= bytes.length ? view.getUint32(at) : Number.POSITIVE_INFINITY;
    if (at + 12 + length > bytes.length) {
      return { fault: `expected a whole png file, got one that ends after ${bytes.length} bytes` };
    }
    const type = view.getUint32(at + 4);
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      return { fault: 'expected a sound png file, got one with a wrong checksum' };
    }
    if (type === chunk.end) break;
    if (type === chunk.imageData) parts.push(bytes.subarray(at + 8, at + 8 + length));
    if (type === chunk.colourProfile || type === chunk.transparency) hasColours = true;
    at += 12 + length;
  }
  if (parts.length === 0) return { fault: 'expected png data, got none' };
  return { parts, hasColours };
}

/** 16-bit pixels of big-endian bytes, swapped in place where they lie on a pixel's boundary. */
function fromBigEndian(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  Buffer.from(aligned.buffer, aligned.byteOffset, aligned.byteLength).swap16();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}
