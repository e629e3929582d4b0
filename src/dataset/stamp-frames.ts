import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../errors.js';
import type { DatasetFrame, FrameFolder } from './dataset.js';
import { planeFile } from './plane-files.js';

/** Files that are looked at at once. */
const atOnce = 64;

/**
 * A hash that changes when a frame, a file's size or the time it was written does: SHA-256,
 * hexadecimal, of frames in the order given. No file is read.
 *
 * Throws `dataset_invalid` when a file has gone since the dataset was opened.
 */
export async function stampFrames(
  { path, folder, channels }: FrameFolder,
  frames: readonly Pick<DatasetFrame, 'id'>[],
): Promise<string> {
  const files = frames.flatMap(({ id }) => channels.map((channel) => planeFile(id, channel)));
  const hash = createHash('sha256');
  for (let start = 0; start < files.length; start += atOnce) {
    const stamps = await Promise.all(
      files.slice(start, start + atOnce).map(async (file) => {
        const { size, mtimeMs } = await stat(join(path, folder, file)).catch((cause: unknown) => {
          const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
          throw new DomainError('dataset_invalid', `cannot read ${folder}/${file}: ${reason}`, {
            cause,
          });
        });
        return `${file}\t${size}\t${mtimeMs}\n`;
      }),
    );
    for (const stamp of stamps) hash.update(stamp);
  }
  return hash.digest('hex');
}
