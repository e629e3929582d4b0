import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../errors.js';
import type { DatasetFrame, FrameFolder } from './dataset.js';
import { planeFile } from './plane-files.js';

/** Frames whose files are looked at at once. */
const atOnce = 64;
/** Of a million frames two have the same by chance once in 37 million. */
const keyLength = 16;

/**
 * What a frame is known by wherever its folder lies: a hash of its Id and of the sizes of its
 * planes' files, 16 hexadecimal digits, in the order given. Labels do not count, which are
 * corrected now and then; sizes do, since Ids such as "cell1" come in many datasets. No file is
 * read. Files that were written anew by another program are other frames.
 *
 * Throws `dataset_invalid` when a file has gone since the dataset was opened.
 */
export async function frameKeys(
  { path, folder, channels }: FrameFolder,
  frames: readonly Pick<DatasetFrame, 'id'>[],
): Promise<readonly string[]> {
  const keyOf = async ({ id }: Pick<DatasetFrame, 'id'>): Promise<string> => {
    const sizes = await Promise.all(
      channels.map(async (channel) => {
        const file = planeFile(id, channel);
        const { size } = await stat(join(path, folder, file)).catch((cause: unknown) => {
          const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
          throw new DomainError('dataset_invalid', `cannot read ${folder}/${file}: ${reason}`, {
            cause,
          });
        });
        return size;
      }),
    );
    const text = `${id}\t${sizes.join(' ')}`;
    return createHash('sha256').update(text).digest('hex').slice(0, keyLength);
  };
  const keys: string[] = [];
  for (let start = 0; start < frames.length; start += atOnce) {
    keys.push(...(await Promise.all(frames.slice(start, start + atOnce).map(keyOf))));
  }
  return keys;
}
