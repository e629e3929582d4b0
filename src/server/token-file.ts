import { readFile } from 'node:fs/promises';
import { DomainError } from '../errors.js';

/** A file is looked at again after so long: a token that is replaced goes out within a second. */
const recheckMs = 1000;

/**
 * A bearer token that lies in a file and is replaced there, as Kubernetes does long before one
 * expires. Each call gives the token that lay there at most a second ago.
 *
 * Throws `option_invalid` where there is no file or no token in it; neither the token nor the
 * path is in the message.
 */
export function openTokenFile(
  path: string,
  { nowMs = () => performance.now() }: { readonly nowMs?: () => number } = {},
): () => Promise<string> {
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<string> = Promise.resolve('');
  return () => {
    const now = nowMs();
    if (now - readAtMs < recheckMs) return reading;
    readAtMs = now;
    reading = readToken(path);
    return reading;
  };
}

async function readToken(path: string): Promise<string> {
  const wanted = 'remoteTokenFile: expected a file of one token';
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new DomainError('option_invalid', `${wanted}, got one that cannot be read`, { cause });
  });
  const token = text.trim();
  // What a header may hold, without spaces: RFC 6750, section 2.1, is narrower still.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new DomainError('option_invalid', `${wanted}, got ${token === '' ? 'none' : 'more'}`);
}
