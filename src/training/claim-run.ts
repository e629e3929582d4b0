import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../errors.js';
import { codeOf, storageFailed } from '../files/index.js';
import { isAlive, type RunOwner, thisOwner } from './run-owner.js';

/**
 * Does something with a Run's folder that no two processes may do at once: only one of
 * them can give the claim its name. One that a dead process left is put aside.
 *
 * Throws `run_state` while another does it, `storage_failed`, and what `act` throws.
 */
export async function claimRun<Result>(path: string, act: () => Promise<Result>): Promise<Result> {
  const claim = join(path, 'claim.json');
  const own = join(path, `claim-${randomUUID()}.json`);
  try {
    // Linked and not opened, so that nobody finds it without its content.
    await writeFile(own, JSON.stringify(await thisOwner()));
    if (!(await isLinked(own, claim))) {
      const isTaken = await readFile(claim, 'utf8').then(
        (text) => isAlive(JSON.parse(text) as RunOwner),
        () => false, // given back meanwhile
      );
      if (!isTaken) await rm(claim, { force: true });
      if (isTaken || !(await isLinked(own, claim))) {
        throw new DomainError('run_state', 'another process takes up the run just now');
      }
    }
  } catch (cause) {
    throw cause instanceof DomainError ? cause : storageFailed('cannot take up the run', cause);
  } finally {
    await rm(own, { force: true });
  }
  try {
    return await act();
  } finally {
    await rm(claim, { force: true });
  }
}

async function isLinked(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    (cause: unknown) => {
      if (codeOf(cause) === 'EEXIST') return false;
      throw cause;
    },
  );
}
