import { symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { makeFolder, storageFailed, writeDurably } from '../files/index.js';
import type { Dataset, DatasetFrame } from './dataset.js';

/**
 * Makes a folder that is a dataset of some frames of another: a `train.csv` of their own
 * beside a link to the planes. Nothing is copied; the folder must not outlive the planes.
 * Throws `storage_failed`.
 */
export async function linkDataset(
  path: string,
  dataset: Pick<Dataset, 'path' | 'folder'>,
  frames: readonly DatasetFrame[],
): Promise<void> {
  const rows = frames.map(({ id, labelIndices, group }) => [id, labelIndices.join(' '), group]);
  const table = stringify([['Id', 'Target', 'Group'], ...rows]);
  try {
    await makeFolder(path);
    // A junction needs no rights on Windows; elsewhere the word means nothing.
    await symlink(resolve(dataset.path, dataset.folder), join(path, 'train'), 'junction');
  } catch (cause) {
    throw storageFailed('cannot make the folder of a fold', cause);
  }
  await writeDurably(join(path, 'train.csv'), [Buffer.from(table)]);
}
