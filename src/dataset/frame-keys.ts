import { createHash } from 'node:crypto';
import type { DatasetFrame, FrameFolder } from './dataset.js';
import { statPlanes } from './stat-planes.js';

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
  folder: FrameFolder,
  frames: readonly Pick<DatasetFrame, 'id'>[],
): Promise<readonly string[]> {
  return statPlanes(folder, frames, (id, planes) => {
    const text = `${id}\t${planes.map(({ stats }) => stats.size).join(' ')}`;
    return createHash('sha256').update(text).digest('hex').slice(0, keyLength);
  });
}
