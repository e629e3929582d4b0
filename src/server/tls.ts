import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Config } from '../config.js';
import { DomainError } from '../errors.js';

/**
 * The certificate and key of the configuration; null when TLS is off.
 * Throws `option_invalid` when they cannot be read or do not belong together.
 */
export async function readTls({
  tlsCert,
  tlsKey,
}: Config): Promise<{ readonly cert: Buffer; readonly key: Buffer } | null> {
  if (tlsCert === '') return null;
  try {
    const [cert, key] = await Promise.all([readFile(tlsCert), readFile(tlsKey)]);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const wanted = 'tlsCert and tlsKey: expected a PEM certificate and its key';
    throw new DomainError('option_invalid', `${wanted}, got "${why}"`, { cause });
  }
}
