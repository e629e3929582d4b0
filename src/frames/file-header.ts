import type { Encoding } from './frame.js';
import type { SizePx } from './pixels.js';

const signatures: readonly { readonly format: string; readonly bytes: readonly number[] }[] = [
  { format: 'png', bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
  { format: 'jpeg', bytes: [0xff, 0xd8, 0xff] },
  { format: 'tiff', bytes: [0x49, 0x49, 0x2a, 0x00] },
  { format: 'tiff', bytes: [0x4d, 0x4d, 0x00, 0x2a] },
  { format: 'tiff', bytes: [0x49, 0x49, 0x2b, 0x00] },
  { format: 'tiff', bytes: [0x4d, 0x4d, 0x00, 0x2b] },
  { format: 'gif', bytes: [0x47, 0x49, 0x46, 0x38] },
  { format: 'webp', bytes: [0x52, 0x49, 0x46, 0x46] },
  { format: 'jpeg 2000', bytes: [0x00, 0x00, 0x00, 0x0c, 0x6a, 0x50] },
];

/** What the first bytes of a file say it is, or null. */
function sniffFormat(bytes: Uint8Array): string | null {
  const match = signatures.find(({ bytes: signature }) =>
    signature.every((byte, i) => bytes[i] === byte),
  );
  return match?.format ?? null;
}

/** The header of a PNG (its IHDR chunk), read without inflating anything. */
export interface PngHeader extends SizePx {
  readonly bitDepth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  readonly colourType: number;
  readonly isInterlaced: boolean;
}

/** Null where the bytes are no PNG or end before its header does. */
export function readPngHeader(bytes: Uint8Array): PngHeader | null {
  if (bytes.length < 33 || sniffFormat(bytes) !== 'png') return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(8) !== 13 || view.getUint32(12) !== 0x49484452) return null;
  return {
    widthPx: view.getUint32(16),
    heightPx: view.getUint32(20),
    bitDepth: view.getUint8(24),
    colourType: view.getUint8(25),
    isInterlaced: view.getUint8(28) !== 0,
  };
}

/** Why a file cannot be what its frame says it is; null if its first bytes agree. */
export function formatFault(bytes: Uint8Array, encoding: Exclude<Encoding, 'raw'>): string | null {
  const format = sniffFormat(bytes);
  if (format === encoding) return null;
  return `expected a ${encoding} file, got ${format ?? 'bytes of no known format'}`;
}
