import sharp from 'sharp';
import type { Encoding } from './frame.js';
import type { Pixels, SizePx } from './pixels.js';
import { decodeGreyPng } from './png.js';
import { readTiffCompression } from './tiff-header.js';
import { sizeFault } from './validate.js';

/** A plane decoded to the pixels of its file. */
export interface DecodedPlane extends SizePx {
  readonly pixels: Pixels;
}

export interface DecodeOptions extends SizePx {
  readonly encoding: Exclude<Encoding, 'raw'>;
  readonly maxPixels: number;
}

/**
 * Decodes one encoded plane to 8- or 16-bit grey, of the frame's stated size if it states
 * one. Only a file of one page and one channel is a plane: colour is refused, for which of
 * its components is the stain is not ours to guess; the Human Protein Atlas' colour JPEGs
 * are to be sent as the one component that is filled.
 *
 * Answers a fault, never throws, for anything a file can have wrong with it: too large,
 * truncated, damaged, several pages, colour, another pixel type.
 */
export async function decodePlane(
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<DecodedPlane | { readonly fault: string }> {
  if (options.encoding === 'png') {
    const decoded = decodeGreyPng(bytes);
    if (!('isUnfit' in decoded)) return decoded;
  }
  return decodeWithSharp(bytes, options);
}

/** The general way, for every file that the fast way is unfit for. */
export async function decodeWithSharp(
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<DecodedPlane | { readonly fault: string }> {
  const { encoding, maxPixels } = options;
  const packing = encoding === 'tiff' ? compressionFault(bytes) : null;
  if (packing !== null) return { fault: packing };
  try {
    // Only the header is read here; its size is checked before any pixel is.
    const header = await sharp(bytes, { limitInputPixels: false, failOn: 'error' }).metadata();
    const { width, height, channels, depth, pages } = header;
    if (header.format !== encoding) {
      return { fault: `expected a ${encoding} file, got ${header.format}` };
    }
    const wrongSize = sizeFault(options, width, height, maxPixels);
    if (wrongSize !== null) return { fault: wrongSize };
    if (pages !== undefined && pages > 1) return { fault: `expected one page, got ${pages}` };
    if (channels !== 1) {
      return { fault: `expected one grey channel, got ${channels} (${header.space})` };
    }
    if (depth !== 'uchar' && depth !== 'ushort') {
      return { fault: `expected 8- or 16-bit pixels, got ${depth}` };
    }
    const file = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' });
    const is16Bit = depth === 'ushort';
    const { data, info } = await file
      .toColourspace(is16Bit ? 'grey16' : 'b-w')
      .raw({ depth })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 1) return { fault: `expected one grey channel, got ${info.channels}` };
    const pixels = is16Bit
      ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { widthPx: info.width, heightPx: info.height, pixels };
  } catch {
    return { fault: `expected a whole ${encoding} file, got a truncated or damaged one` };
  }
}

/** TIFF's numbers of what libvips unpacks: none, CCITT, LZW, JPEG, Deflate (two of it), PackBits. */
const readableCompressions: readonly number[] = [1, 2, 3, 4, 5, 7, 8, 32_946, 32_773];

/** Why a sound TIFF cannot be read here: libvips' own text does not tell it from a damaged one. */
function compressionFault(bytes: Uint8Array): string | null {
  const compression = readTiffCompression(bytes);
  if (compression === null || readableCompressions.includes(compression)) return null;
  return (
    'expected a tiff file without compression, or with LZW, Deflate, PackBits or JPEG, ' +
    `got compression ${compression}`
  );
}
