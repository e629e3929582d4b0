import { createHash, webcrypto } from 'node:crypto';
import type { Frame } from '../frames/index.js';

/**
 * What a frame's planes are, whatever their files are called and when they were written:
 * SHA-256, hexadecimal, of each channel with the SHA-256 of its bytes. Other threads reckon
 * them. The bytes must stay until it resolves.
 */
export async function digestFrame({ planes }: Pick<Frame, 'planes'>): Promise<string> {
  const digests = await Promise.all(
    planes.map(({ bytes }) => webcrypto.subtle.digest('SHA-256', bytes)),
  );
  const hash = createHash('sha256');
  for (const [at, { channel }] of planes.entries()) {
    hash.update(`${channel}\t`).update(new Uint8Array(digests[at]!));
  }
  return hash.digest('hex');
}
