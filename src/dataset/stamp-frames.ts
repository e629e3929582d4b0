import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../errors.js';
import type { DatasetFrame, FrameFolder } from './dataset.js';
import { planeFile } from './plane-files.js';

/** Frames whose files are looked at at once. */
const atOnce = 16;

/**
 * What tells of each frame, in the order given, whether its files are still those that they
 * were: of each plane the name, size, inode and the times of its bytes and of its inode. The
 * last is the system's own: a tool that sets the time of the bytes back does not set that
 * one. No file is read.
 *
 * Throws `dataset_invalid` when a file has gone since the dataset was opened.
 */
export async function stampFrames(
  { path, folder, channels }: FrameFolder,
  frames: readonly Pick<DatasetFrame, 'id'>[],
): Promise<readonly string[]> {
  const stampOf = async (file: string): Promise<string> => {
    const stats = await stat(join(path, folder, file), { bigint: true }).catch((cause: unknown) => {
      const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
      throw new DomainError('dataset_invalid', `cannot read ${folder}/${file}: ${reason}`, {
        cause,
      });
    });
    const { size, ino, mtimeNs, ctimeNs } = stats;
    return [file, size, ino, mtimeNs, ctimeNs].join('\t');
  };
  const stamps: string[] = [];
  for (let start = 0; start < frames.length; start += atOnce) {
    const some = frames.slice(start, start + atOnce).map(async ({ id }) => {
      const files = channels.map((channel) => planeFile(id, channel));
      return (await Promise.all(files.map(stampOf))).join('\n');
    });
    stamps.push(...(await Promise.all(some)));
  }
  return stamps;
}
