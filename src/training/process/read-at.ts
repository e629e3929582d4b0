import { readSync } from 'node:fs';
import { DomainError } from '../../errors.js';

/**
 * Fills `into` with the bytes from `place` on of an open file, and returns it. Blocks meanwhile.
 * Throws `storage_failed` where the file ends sooner, and what the disk throws.
 */
export function readAt<Bytes extends Uint8Array>(
  descriptor: number,
  into: Bytes,
  place: number,
): Bytes {
  for (let done = 0; done < into.length; ) {
    const count = readSync(descriptor, into, done, into.length - done, place + done);
    if (count === 0) {
      const [wanted, got] = [place + into.length, place + done];
      throw new DomainError(
        'storage_failed',
        `the cache of frames ends too soon: expected ${wanted} bytes, got ${got}`,
      );
    }
    done += count;
  }
  return into;
}
