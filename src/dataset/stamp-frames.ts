import type { DatasetFrame, FrameFolder } from './dataset.js';
import { statPlanes } from './stat-planes.js';

/**
 * What tells of each frame, in the order given, whether its files are still those that they
 * were: of each plane the name, size, inode and the times of its bytes and of its inode. The
 * last is the system's own: a tool that sets the time of the bytes back does not set that
 * one. No file is read.
 *
 * Throws `dataset_invalid` when a file has gone since the dataset was opened.
 */
export async function stampFrames(
  folder: FrameFolder,
  frames: readonly Pick<DatasetFrame, 'id'>[],
): Promise<readonly string[]> {
  return statPlanes(folder, frames, (_, planes) =>
    planes
      .map(({ file, stats: { size, ino, mtimeNs, ctimeNs } }) =>
        [file, size, ino, mtimeNs, ctimeNs].join('\t'),
      )
      .join('\n'),
  );
}
