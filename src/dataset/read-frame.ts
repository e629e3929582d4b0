import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../errors.js';
import type { Frame } from '../frames/index.js';
import type { DatasetFrame, FrameFolder } from './dataset.js';
import { planeFile } from './plane-files.js';

/**
 * Reads a frame's files: encoded PNG planes in the order of the dataset's channels, with
 * roles as channels. The bytes are the caller's.
 *
 * Throws `dataset_invalid` when a file has gone since the dataset was opened.
 */
export async function readFrame(
  { path, folder, channels }: FrameFolder,
  { id }: Pick<DatasetFrame, 'id'>,
): Promise<Frame> {
  const planes = await Promise.all(
    channels.map(async (channel) => {
      const file = planeFile(id, channel);
      const bytes = await readFile(join(path, folder, file)).catch((cause: unknown) => {
        const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
        throw new DomainError('dataset_invalid', `cannot read ${folder}/${file}: ${reason}`, {
          cause,
        });
      });
      return { channel, bytes };
    }),
  );
  return {
    id,
    widthPx: 0,
    heightPx: 0,
    pixelType: 'uint8',
    significantBits: 0,
    encoding: 'png',
    planes,
  };
}
