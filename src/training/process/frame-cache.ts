import { createHash, randomUUID } from 'node:crypto';
import { fsync, openSync } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Dataset, type DatasetFrame, stampFrames } from '../../dataset/index.js';
import { makeFolder } from '../../files/index.js';
import { type InputSpec, preparation } from '../../frames/index.js';
import { closePacks, type FramePack, openPack, packBytes } from './frame-pack.js';
import { createPackWriter, guarded, type PackedKeys, type PackWriter } from './pack-writer.js';

export interface FrameCacheOptions {
  /** Made when the first frames are kept. */
  readonly folder: string;
  /** Bytes of all files together; what was used longest ago goes first. 0 keeps none. */
  readonly maxBytes: number;
}

export interface FrameCacheCollaborators {
  /** Notes what the disk refuses and no run needs. */
  warn(message: string, thrown: unknown): void;
}

/**
 * Prepared frames on disk, so that a later epoch or run touches no PNG.
 *
 * Behaviour: each frame has a key of its own, so that a run finds what any other has
 * prepared, whichever frames that one had beside it. What it lacks becomes one file, which
 * is written under a name of its own and renamed when it is whole and on the disk, so that
 * two runs may write the same frames at once and neither sees half a file. `open` checks
 * every frame that it gives; a damaged file counts as absent, and is removed where the disk
 * lets it, as what has to make room is. A file that is evicted while a run reads it stays
 * readable to that run.
 */
export interface FrameCache {
  /**
   * What is kept of these frames, in files whose descriptors are the caller's. Files that
   * leave no room for what is missing are not used, if one file of all would have room.
   * What the disk refuses counts as absent: nothing is thrown for it.
   */
  open(wanted: PackedKeys): Promise<readonly FramePack[]>;
  /**
   * Keeps the frames that are missing; null where they have no room beside what is kept.
   * Throws `storage_failed` where the disk refuses, and so does what it gives.
   */
  create(missing: PackedKeys, kept: readonly FramePack[]): Promise<PackWriter | null>;
}

const ending = '.frames';
const partialEnding = '.partial';
/** A file in the making that is older was left by a process that died. */
const staleMs = 24 * 3600 * 1000;
const syncToDisk = promisify(fsync);

export function createFrameCache(
  { folder, maxBytes }: FrameCacheOptions,
  { warn }: FrameCacheCollaborators,
): FrameCache {
  /** Names of the files that this run reads: they stay, whatever has to make room. */
  const used = new Set<string>();

  function hasRoom({ keys, frameBytes }: PackedKeys, kept: readonly FramePack[]): boolean {
    const counts = [keys.length, ...kept.map(({ file }) => file.frameCount)];
    const bytes = counts.map((frameCount) => packBytes({ frameCount, frameBytes }));
    return bytes.reduce((sum, some) => sum + some, 0) <= maxBytes;
  }

  /** False where the disk refuses. */
  async function remove(name: string): Promise<boolean> {
    try {
      await rm(join(folder, name), { force: true });
      return true;
    } catch (thrown) {
      warn('a file that is not used stays in the cache of frames, the disk keeps it', thrown);
      return false;
    }
  }

  return {
    async open({ keys, frameBytes }) {
      const missing = new Set(keys);
      const found = new Map<string, FramePack>();
      const names = await readdir(folder).catch(() => []);
      for (const name of names.filter((name) => name.endsWith(ending)).sort()) {
        if (missing.size === 0) break;
        const pack = openPack(join(folder, name), { missing, frameBytes });
        if (pack === 'damaged') await remove(name);
        if (pack === 'damaged' || pack === null) continue;
        for (const key of pack.frames.keys()) missing.delete(key);
        found.set(name, pack);
      }
      const packs = [...found.values()];
      const lacking = { keys: [...missing], frameBytes };
      if (missing.size > 0 && !hasRoom(lacking, packs) && hasRoom({ keys, frameBytes }, [])) {
        closePacks(packs);
        return [];
      }
      const now = new Date();
      for (const name of found.keys()) {
        used.add(name);
        // Who may only read the cache may use it all the same.
        await utimes(join(folder, name), now, now).catch(() => undefined);
      }
      return packs;
    },

    async create(missing, kept) {
      if (!hasRoom(missing, kept)) return null;
      const name = `${createHash('sha256').update(missing.keys.join('\n')).digest('hex')}${ending}`;
      const partial = join(folder, `${name}.${randomUUID()}${partialEnding}`);
      const descriptor = await guarded(async () => {
        await makeFolder(folder);
        return openSync(partial, 'wx+');
      });
      return createPackWriter(descriptor, missing, {
        async end() {
          await syncToDisk(descriptor);
          await rename(partial, join(folder, name));
          used.add(name);
          await makeRoom({ folder, maxBytes }, { used, remove });
        },
        remove: () => rm(partial, { force: true }),
      });
    },
  };
}

/**
 * Names each frame as it is prepared, in the order given: by the stamps of its planes'
 * files, the input spec, and the number of the preparation. No file is read: of 30,000
 * frames that would be the time of an epoch, for data that moved.
 */
export async function cacheKeys(
  dataset: Dataset,
  frames: readonly DatasetFrame[],
  { channels, widthPx, heightPx, resize }: InputSpec,
): Promise<readonly string[]> {
  const spec = JSON.stringify([preparation, channels, widthPx, heightPx, resize]);
  const stamps = await stampFrames(dataset, frames);
  return stamps.map((stamp) => createHash('sha256').update(`${spec}\n${stamp}`).digest('hex'));
}

/** Removes what was used longest ago, down to `maxBytes`, and what dead processes left. */
async function makeRoom(
  { folder, maxBytes }: FrameCacheOptions,
  { used, remove }: { readonly used: ReadonlySet<string>; remove(name: string): Promise<boolean> },
): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      // Another run may remove it first.
      const stats = await stat(join(folder, name)).catch(() => null);
      return { name, size: stats?.size ?? 0, usedAtMs: stats?.mtimeMs ?? 0 };
    }),
  );
  for (const { name, usedAtMs } of found) {
    if (name.endsWith(partialEnding) && Date.now() - usedAtMs > staleMs) await remove(name);
  }
  const files = found
    .filter(({ name }) => name.endsWith(ending))
    .sort((a, b) => a.usedAtMs - b.usedAtMs);
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  for (const { name, size } of files) {
    if (bytes <= maxBytes) return;
    if (!used.has(name) && (await remove(name))) bytes -= size;
  }
}
