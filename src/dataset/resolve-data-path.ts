import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { DomainError } from '../errors.js';

/**
 * Turns a path that a caller named into a real one below one of the roots; a relative
 * path is looked for under each root in turn. Links are followed before the check, so
 * none leads out.
 *
 * Throws `option_invalid`, with the same words for a path outside and for one that does
 * not exist, so that nobody learns what else lies on the server.
 */
export async function resolveDataPath(path: string, roots: readonly string[]): Promise<string> {
  if (path !== '' && !path.includes('\0')) {
    for (const root of roots) {
      const realRoot = await realpath(root).catch(() => null);
      if (realRoot === null) continue;
      const candidate = isAbsolute(path) ? resolve(path) : join(realRoot, path);
      const real = await realpath(candidate).catch(() => null);
      if (real !== null && isBelow(real, realRoot)) return real;
    }
  }
  throw new DomainError(
    'option_invalid',
    `expected a dataset path below one of the data roots of the server, got "${path}"`,
  );
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}
