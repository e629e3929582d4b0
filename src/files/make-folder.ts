import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './storage-failed.js';

/**
 * Makes a folder and those above it; one that is there already is fine.
 *
 * `mkdir` with `recursive` is not used: on Node 20 it never returns, and takes a core, where
 * a folder that is there answers ENOENT to a new one in it, as those of /proc do.
 * Throws what the system says.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (thrown) {
    if (await isFolder(path)) return;
    if (codeOf(thrown) !== 'ENOENT' || (await isFolder(dirname(path)))) throw thrown;
    await makeFolder(dirname(path));
    await makeFolder(path);
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
