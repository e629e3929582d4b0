import { createHash, randomUUID } from 'node:crypto';
import { constants, openSync, readSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Dataset, type DatasetFrame, stampFrames } from '../../dataset/index.js';
import { DomainError } from '../../errors.js';
import { makeFolder, storageFailed } from '../../files/index.js';
import type { InputSpec } from '../../frames/index.js';
import { type FrameSource, fileSource } from './frame-source.js';

export interface FrameCacheOptions {
  /** Made when the first frames are kept. */
  readonly folder: string;
  /** Bytes of all files together; what was used longest ago goes first. */
  readonly maxBytes: number;
}

/** Which frames, and how many of which size. */
export interface CacheEntry {
  /** As `cacheKey` gives it. */
  readonly key: string;
  readonly frameCount: number;
  readonly frameBytes: number;
}

/** Frames on their way into the cache. */
export interface CacheWriter {
  /** Writes a frame; in any order, each once. */
  put(index: number, pixels: Uint8Array): Promise<void>;
  /** Ends the file, gives it its name, makes room, and opens it. */
  finish(): Promise<FrameSource>;
  /** Leaves nothing. */
  abandon(): Promise<void>;
}

/**
 * Prepared frames on disk, so that a later epoch or run touches no PNG.
 *
 * Behaviour: a file an entry: a header, the frames behind each other, a checksum a frame.
 * It is written under a name of its own and renamed when it is whole and on the disk, so
 * that two runs may write the same entry at once and neither sees half a file. `open`
 * checks every frame; a damaged file is removed and counts as absent. A file that is
 * evicted while a run reads it stays readable to that run.
 *
 * Throws `storage_failed` where the disk refuses.
 */
export interface FrameCache {
  open(entry: CacheEntry): Promise<FrameSource | null>;
  /** null where the entry alone would be more than the cache may hold. */
  create(entry: CacheEntry): Promise<CacheWriter | null>;
}

const magic = 'cytoframes 1';
const headerBytes = 128;
const checksumBytes = 4;
const ending = '.frames';
const partialEnding = '.partial';
/** A file in the making that is older was left by a process that died. */
const staleMs = 24 * 3600 * 1000;

export function createFrameCache({ folder, maxBytes }: FrameCacheOptions): FrameCache {
  const pathOf = (key: string): string => join(folder, `${key}${ending}`);
  return {
    async open(entry) {
      const path = pathOf(entry.key);
      let descriptor: number;
      try {
        descriptor = openSync(path, constants.O_RDONLY);
      } catch {
        return null;
      }
      const source = fileSource({ descriptor, firstByte: headerBytes }, entry.frameBytes);
      if (isWhole(descriptor, entry)) {
        const now = new Date();
        // Who may only read the cache may use it all the same.
        await utimes(path, now, now).catch(() => undefined);
        return source;
      }
      source.close();
      await rm(path, { force: true });
      return null;
    },

    async create(entry) {
      if (fileBytes(entry) > maxBytes) return null;
      const partial = join(folder, `${entry.key}.${randomUUID()}${partialEnding}`);
      const file = await guarded(async () => {
        await makeFolder(folder);
        return open(partial, 'wx+');
      });
      const checksums = new Uint32Array(entry.frameCount);
      const abandon = async (): Promise<void> => {
        await file.close().catch(() => undefined);
        await rm(partial, { force: true }).catch(() => undefined);
      };
      return {
        abandon,
        put: (index, pixels) =>
          guarded(async () => {
            checksums[index] = crc32(pixels);
            await writeAt(file, pixels, headerBytes + index * entry.frameBytes);
          }),
        async finish() {
          try {
            return await guarded(async () => {
              await writeAt(file, headerOf(entry), 0);
              const end = headerBytes + entry.frameCount * entry.frameBytes;
              await writeAt(file, new Uint8Array(checksums.buffer), end);
              await file.sync();
              await rename(partial, pathOf(entry.key));
              await makeRoom({ folder, maxBytes }, entry.key);
              const descriptor = openSync(pathOf(entry.key), constants.O_RDONLY);
              return fileSource({ descriptor, firstByte: headerBytes }, entry.frameBytes);
            });
          } finally {
            await abandon();
          }
        },
      };
    },
  };
}

/**
 * Names what a cache file holds: frames by id, the size and time of each plane's file, and
 * the input spec. It reads no file. A file that is changed without another size or time
 * is not noticed.
 */
export async function cacheKey(
  dataset: Dataset,
  frames: readonly DatasetFrame[],
  inputSpec: InputSpec,
): Promise<string> {
  const { channels, widthPx, heightPx, resize } = inputSpec;
  return createHash('sha256')
    .update(JSON.stringify([magic, channels, widthPx, heightPx, resize]))
    .update(await stampFrames(dataset, frames))
    .digest('hex');
}

const fileBytes = ({ frameCount, frameBytes }: CacheEntry): number =>
  headerBytes + frameCount * (frameBytes + checksumBytes);

const headerOf = ({ key, frameCount, frameBytes }: CacheEntry): Uint8Array =>
  Buffer.from(`${magic} ${key} ${frameCount} ${frameBytes}\n`.padEnd(headerBytes, ' '));

/** Whether a file holds the entry and every frame is as it was written. */
function isWhole(descriptor: number, entry: CacheEntry): boolean {
  const { frameCount, frameBytes } = entry;
  const header = new Uint8Array(headerBytes);
  const checksums = new Uint32Array(frameCount);
  const pixels = new Uint8Array(frameBytes);
  const read = (into: Uint8Array, place: number): boolean =>
    readSync(descriptor, into, 0, into.length, place) === into.length;
  try {
    const end = headerBytes + frameCount * frameBytes;
    if (!read(header, 0) || Buffer.compare(header, headerOf(entry)) !== 0) return false;
    if (!read(new Uint8Array(checksums.buffer), end)) return false;
    for (let index = 0; index < frameCount; index += 1) {
      if (!read(pixels, headerBytes + index * frameBytes)) return false;
      if (crc32(pixels) !== checksums[index]) return false;
    }
    return true;
  } catch {
    // A disk that cannot read its file has none.
    return false;
  }
}

/** Removes what was used longest ago, down to `maxBytes`, and what dead processes left. */
async function makeRoom({ folder, maxBytes }: FrameCacheOptions, keptKey: string): Promise<void> {
  const found = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      // Another run may remove it first.
      const stats = await stat(join(folder, name)).catch(() => null);
      return { name, size: stats?.size ?? 0, usedAtMs: stats?.mtimeMs ?? 0 };
    }),
  );
  const remove = (name: string): Promise<void> => rm(join(folder, name), { force: true });
  for (const { name, usedAtMs } of found) {
    if (name.endsWith(partialEnding) && Date.now() - usedAtMs > staleMs) await remove(name);
  }
  const files = found
    .filter(({ name }) => name.endsWith(ending))
    .sort((a, b) => a.usedAtMs - b.usedAtMs);
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  for (const { name, size } of files) {
    if (bytes <= maxBytes) return;
    if (name === `${keptKey}${ending}`) continue;
    await remove(name);
    bytes -= size;
  }
}

async function writeAt(file: FileHandle, bytes: Uint8Array, place: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, place + done);
    done += bytesWritten;
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw storageFailed('cannot write the cache of frames', cause);
  }
}
