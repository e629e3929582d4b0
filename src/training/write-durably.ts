import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DomainError } from '../errors.js';

/** Where a file is put together before it takes its name. */
export const partialSuffix = '.partial';

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

/** A fault of the disk in words: the system's code, never the path. */
export function storageFailed(what: string, cause: unknown): DomainError {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException;
  const reason = reasons[code];
  return new DomainError(
    'storage_failed',
    `${what}: ${reason === undefined ? code : `${reason} (${code})`}`,
    { cause },
  );
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would exceed the size limit of the process',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the disk is read-only',
};

/** Makes the new name itself survive a power cut, where the system can. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  if (folder === null) return;
  try {
    await folder.sync().catch(() => undefined);
  } finally {
    await folder.close();
  }
}
