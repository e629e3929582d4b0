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
  const fault = await tryToMake(path);
  if (fault === null) return;
  if (codeOf(fault) !== 'ENOENT') throw fault;
  await makeFolder(dirname(path));
  // Whoever makes the same folders may have been faster: only what fails beneath a folder that is
  // there now fails for good.
  const lasting = await tryToMake(path);
  if (lasting !== null) throw lasting;
}

/** What the system says where there is no such folder afterwards; else null. */
const tryToMake = (path: string): Promise<unknown> =>
  mkdir(path).then(
    () => null,
    async (thrown: unknown) => ((await isFolder(path)) ? null : thrown),
  );

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
