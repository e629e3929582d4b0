import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { FramesFile } from './frame-source.js';
import { readAt } from './read-at.js';

/** Frames of one file, by key. */
export interface FramePack {
  readonly file: FramesFile;
  readonly frames: ReadonlyMap<string, PackedFrame>;
}

export interface PackedFrame {
  /** Its number in the file. */
  readonly index: number;
  /** Of the planes that it was prepared from, as `digestFrame` gives it. */
  readonly digest: string;
}

/** How many frames of which size a file holds. */
export interface PackSize {
  readonly frameCount: number;
  readonly frameBytes: number;
}

/** What a file says of its frames, one each: SHA-256s in hexadecimal, and a CRC-32 of the pixels. */
export interface PackIndex {
  readonly keys: readonly string[];
  readonly digests: readonly string[];
  readonly checksums: Uint32Array;
}

const magic = 'cytoframes 2';
const headerBytes = 128;
const hashBytes = 32;
const checksumBytes = 4;
/** Of key, digest and checksum of a frame. */
const indexBytes = 2 * hashBytes + checksumBytes;

/** Where frames and what is said of them lie in a file: a header, the frames, the index with a CRC-32 of itself. */
export const firstFrameByte = headerBytes;
const indexPlace = ({ frameCount, frameBytes }: PackSize): number =>
  headerBytes + frameCount * frameBytes;

/** Bytes of such a file. */
export const packBytes = (size: PackSize): number =>
  indexPlace(size) + size.frameCount * indexBytes + checksumBytes;

/** What is written beside the frames, and where. */
export function packParts(
  size: PackSize,
  { keys, digests, checksums }: PackIndex,
): readonly { readonly bytes: Uint8Array; readonly place: number }[] {
  const index = Buffer.concat([
    ...keys.map((key) => Buffer.from(key, 'hex')),
    ...digests.map((digest) => Buffer.from(digest, 'hex')),
    new Uint8Array(checksums.buffer, checksums.byteOffset, checksums.byteLength),
  ]);
  const sum = Uint32Array.of(crc32(index));
  return [
    { bytes: headerOf(size), place: 0 },
    { bytes: Buffer.concat([index, new Uint8Array(sum.buffer)]), place: indexPlace(size) },
  ];
}

/**
 * Opens a file for those of its frames that are missing, having read each of them. null
 * where it has none, `damaged` where it is not what was written.
 */
export function openPack(
  path: string,
  { missing, frameBytes }: { readonly missing: ReadonlySet<string>; readonly frameBytes: number },
): FramePack | 'damaged' | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY);
  } catch {
    // Another run has removed it.
    return null;
  }
  const pack = readPack(descriptor, { missing, frameBytes });
  if (pack === 'damaged' || pack === null) closeSync(descriptor);
  return pack;
}

/** Closes the files of packs that nobody is going to read. */
export function closePacks(packs: readonly FramePack[]): void {
  for (const { file } of packs) closeSync(file.descriptor);
}

function readPack(
  descriptor: number,
  { missing, frameBytes }: { readonly missing: ReadonlySet<string>; readonly frameBytes: number },
): FramePack | 'damaged' | null {
  try {
    const size = readSize(descriptor);
    if (size === null || fstatSync(descriptor).size !== packBytes(size)) return 'damaged';
    if (size.frameBytes !== frameBytes) return null;
    const { frameCount } = size;
    const index = readIndex(descriptor, size);
    if (index === null) return 'damaged';
    const frames = new Map<string, PackedFrame>();
    const pixels = new Uint8Array(frameBytes);
    for (const [at, key] of index.keys.entries()) {
      if (!missing.has(key)) continue;
      readAt(descriptor, pixels, firstFrameByte + at * frameBytes);
      if (crc32(pixels) !== index.checksums[at]) return 'damaged';
      frames.set(key, { index: at, digest: index.digests[at] ?? '' });
    }
    if (frames.size === 0) return null;
    return { file: { descriptor, firstByte: firstFrameByte, frameCount }, frames };
  } catch {
    // A disk that cannot read its file has none.
    return 'damaged';
  }
}

const headerOf = ({ frameCount, frameBytes }: PackSize): Uint8Array =>
  Buffer.from(`${magic} ${frameCount} ${frameBytes}\n`.padEnd(headerBytes, ' '));

function readSize(descriptor: number): PackSize | null {
  const header = readAt(descriptor, Buffer.alloc(headerBytes), 0);
  const [, frameCount, frameBytes] = /^cytoframes 2 (\d+) (\d+)\n/.exec(header.toString()) ?? [];
  const size = { frameCount: Number(frameCount), frameBytes: Number(frameBytes) };
  return header.equals(headerOf(size)) ? size : null;
}

function readIndex(descriptor: number, size: PackSize): PackIndex | null {
  const { frameCount } = size;
  const bytes = Buffer.alloc(frameCount * indexBytes + checksumBytes);
  readAt(descriptor, bytes, indexPlace(size));
  const index = bytes.subarray(0, -checksumBytes);
  const sum = new Uint32Array(Uint8Array.from(bytes.subarray(-checksumBytes)).buffer);
  if (crc32(index) !== sum[0]) return null;
  const hashes = Array.from({ length: 2 * frameCount }, (_, at) =>
    index.toString('hex', at * hashBytes, (at + 1) * hashBytes),
  );
  return {
    keys: hashes.slice(0, frameCount),
    digests: hashes.slice(frameCount),
    // Copied to where 4 bytes lie at a multiple of 4.
    checksums: new Uint32Array(Uint8Array.from(index.subarray(2 * frameCount * hashBytes)).buffer),
  };
}
