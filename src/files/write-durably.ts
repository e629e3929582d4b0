import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { storageFailed } from './storage-failed.js';
import { syncFolder } from './sync-folder.js';

/** Where a file is put together before it takes its name. */
const partialSuffix = '.partial';

/**
 * Writes a file whole or not at all: into `<path>.partial`, to the disk (fsync), then
 * under its name. When it fails, the file that was there before is untouched and
 * nothing half stays. Chunks are not copied. One writer a path at a time.
 *
 * Throws `storage_failed` with the system's code: "cannot write best.safetensors: ENOSPC".
 */
export async function writeDurably(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const partial = `${path}${partialSuffix}`;
  try {
    const file = await open(partial, 'w');
    try {
      for (const chunk of chunks) {
        for (let done = 0; done < chunk.byteLength; ) {
          done += (await file.write(chunk, done, chunk.byteLength - done)).bytesWritten;
        }
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw storageFailed(`cannot write ${basename(path)}`, cause);
  }
}
