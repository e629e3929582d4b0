import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from './make-folder.js';
import { syncFolder } from './sync-folder.js';

/** Folders that begin so are not finished; whoever lists a folder ignores them. */
export const unfinishedPrefix = '.unfinished-';

/**
 * Writes a folder whole or not at all: into a folder beside it, each file flushed to the
 * disk, then renamed. Fails, and leaves nothing, if `path` exists or the disk is full.
 */
export async function writeFolder(
  path: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<void> {
  const parent = dirname(path);
  await makeFolder(parent);
  // Not mkdtemp, whose folders no other user may read: a server may run as one.
  const unfinished = join(parent, `${unfinishedPrefix}${randomUUID()}`);
  try {
    await mkdir(unfinished);
    for (const [name, content] of Object.entries(files)) {
      const file = await open(join(unfinished, name), 'wx');
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
    }
    await syncFolder(unfinished);
    await rename(unfinished, path);
    await syncFolder(parent);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** Removes from a folder what a process left there that died while it wrote. */
export async function removeUnfinished(parent: string, olderThanMs: number): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(unfinishedPrefix));
  for (const name of names) {
    const path = join(parent, name);
    const found = await stat(path).catch(() => null); // another may have finished it
    if (found === null || Date.now() - found.mtimeMs < olderThanMs) continue;
    await rm(path, { recursive: true, force: true });
  }
}
