import { closeSync, openSync, write } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { DomainError } from '../../errors.js';
import { storageFailed } from '../../files/index.js';
import { type FramePack, firstFrameByte, packParts } from './frame-pack.js';

/** Frames on their way into a file. */
export interface PackWriter {
  /** Writes a frame; in any order, each once. `digest` as `digestFrame` gives it. */
  put(index: number, pixels: Uint8Array, digest: string): Promise<void>;
  /** Ends the file; its descriptor is the caller's from then on. Where it throws, `abandon`. */
  finish(): Promise<FramePack>;
  /** Leaves nothing. */
  abandon(): Promise<void>;
}

/** The frames that a file is to hold, in their order. */
export interface PackedKeys {
  readonly keys: readonly string[];
  readonly frameBytes: number;
}

const writeTo = promisify(write);

/**
 * Writes frames into a new file of a run's folder that no other run can use: it loses its
 * name at once, and so is gone with the process, however that ends. Throws `storage_failed`.
 */
export async function createRunFile(folder: string, packed: PackedKeys): Promise<PackWriter> {
  const path = join(folder, 'frames.partial');
  const descriptor = await guarded(async () => openSync(path, 'w+'));
  try {
    await guarded(() => rm(path, { force: true }));
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
  return createPackWriter(descriptor, packed, { end: async () => {}, remove: async () => {} });
}

/**
 * Writes frames and what is said of them into an open file, which it closes if it is
 * abandoned. `end` makes of it what it is to be, `remove` takes its name away.
 */
export function createPackWriter(
  descriptor: number,
  { keys, frameBytes }: PackedKeys,
  { end, remove }: { end(): Promise<void>; remove(): Promise<void> },
): PackWriter {
  const frameCount = keys.length;
  const digests = new Array<string>(frameCount).fill('');
  const checksums = new Uint32Array(frameCount);
  const abandon = async (): Promise<void> => {
    closeSync(descriptor);
    await remove().catch(() => undefined);
  };
  return {
    abandon,
    put: (index, pixels, digest) =>
      guarded(async () => {
        digests[index] = digest;
        checksums[index] = crc32(pixels);
        await writeAt(descriptor, pixels, firstFrameByte + index * frameBytes);
      }),
    async finish() {
      await guarded(async () => {
        const index = { keys, digests, checksums };
        for (const { bytes, place } of packParts({ frameCount, frameBytes }, index)) {
          await writeAt(descriptor, bytes, place);
        }
        await end();
      });
      const packed = keys.map(
        (key, index) => [key, { index, digest: digests[index] ?? '' }] as const,
      );
      return {
        file: { descriptor, firstByte: firstFrameByte, frameCount },
        frames: new Map(packed),
      };
    },
  };
}

/** What the disk refuses, in our words. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw storageFailed('cannot write prepared frames', cause);
  }
}

async function writeAt(descriptor: number, bytes: Uint8Array, place: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await writeTo(
      descriptor,
      bytes,
      done,
      bytes.length - done,
      place + done,
    );
    done += bytesWritten;
  }
}
