import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeFolder, reasonOf } from '../files/index.js';
import { UsageError } from './failure.js';

/**
 * Makes the folder that `--out` names and returns its whole path: before long work, whose
 * result would be lost if it could not be written. Throws a `UsageError`.
 */
export async function claimOutFolder(out: string): Promise<string> {
  const folder = resolve(out);
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new UsageError(
      `--out: expected a folder that can be written, got "${out}": ${reasonOf(cause)}`,
    );
  }
  return folder;
}

/** The same of a file, which need not be there yet: makes the folder that it is to lie in. */
export async function claimOutFile(out: string): Promise<string> {
  const file = resolve(out);
  if (
    await stat(file).then(
      (found) => found.isDirectory(),
      () => false,
    )
  ) {
    throw new UsageError(`--out: expected a file, got the folder "${out}"`);
  }
  await claimOutFolder(dirname(out));
  return file;
}
