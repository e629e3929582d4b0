const compressionTag = 259;
const shortType = 3;

/**
 * TIFF's number for how the pixels of the first page are packed: 1 none, 5 LZW, 8 Deflate; 1
 * where the file does not say. Null where the bytes are no TIFF, or end before they tell.
 * Format: TIFF 6.0, section 2; BigTIFF has offsets and counts of 64 bits.
 */
export function readTiffCompression(bytes: Uint8Array): number | null {
  if (bytes.length < 16) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = view.getUint16(0) === 0x4949;
  const isBig = view.getUint16(2, isLittle) === 43;
  const word = (at: number): number =>
    isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
  const [entryBytes, valueAt] = isBig ? [20, 12] : [12, 8];
  const countBytes = isBig ? 8 : 2;
  try {
    const start = word(isBig ? 8 : 4);
    const count = isBig ? word(start) : view.getUint16(start, isLittle);
    // Sorted by number, and there are few: what claims thousands runs into the end of the bytes.
    for (let i = 0; i < count; i++) {
      const at = start + countBytes + i * entryBytes;
      const tag = view.getUint16(at, isLittle);
      if (tag > compressionTag) return 1;
      if (tag !== compressionTag) continue;
      const isShort = view.getUint16(at + 2, isLittle) === shortType;
      return isShort
        ? view.getUint16(at + valueAt, isLittle)
        : view.getUint32(at + valueAt, isLittle);
    }
    return 1;
  } catch {
    return null; // past the end of the bytes
  }
}
