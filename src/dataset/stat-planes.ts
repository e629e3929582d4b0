import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../errors.js';
import type { DatasetFrame, FrameFolder } from './dataset.js';
import { planeFile } from './plane-files.js';

/** Frames whose files are looked at at once. */
const atOnce = 16;

/** The file of a plane: its name, and what the system says of it. */
export interface PlaneStats {
  readonly file: string;
  readonly stats: BigIntStats;
}

/**
 * What `tell` makes of the planes' files of each frame, in the order given; no more is kept of
 * them. No file is read.
 *
 * Throws `dataset_invalid` when a file has gone since the dataset was opened.
 */
export async function statPlanes<Told>(
  { path, folder, channels }: FrameFolder,
  frames: readonly Pick<DatasetFrame, 'id'>[],
  tell: (id: string, planes: readonly PlaneStats[]) => Told,
): Promise<readonly Told[]> {
  const statOf = async (file: string): Promise<PlaneStats> => {
    const stats = await stat(join(path, folder, file), { bigint: true }).catch((cause: unknown) => {
      const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
      throw new DomainError('dataset_invalid', `cannot read ${folder}/${file}: ${reason}`, {
        cause,
      });
    });
    return { file, stats };
  };
  const told: Told[] = [];
  for (let start = 0; start < frames.length; start += atOnce) {
    const some = frames.slice(start, start + atOnce).map(async ({ id }) => {
      const files = channels.map((channel) => planeFile(id, channel));
      return tell(id, await Promise.all(files.map(statOf)));
    });
    told.push(...(await Promise.all(some)));
  }
  return told;
}
