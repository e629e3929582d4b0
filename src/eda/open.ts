import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dataset, openDataset } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import type { LabelSet } from '../label-set.js';
import { readLabels } from './read-labels.js';
import type { LabelledFrames } from './summary.js';

export interface OpenForExploringOptions {
  /** Roles of the planes that are shown. @default the four of the Atlas */
  readonly channels?: readonly string[];
  /** @default the 28 of the Atlas */
  readonly labels?: LabelSet;
}

/**
 * Opens what is to be explored: a dataset's folder, or a csv of labels by itself,
 * whose frames are not shown.
 *
 * Throws `dataset_invalid` with all faults; for a folder without frames it says that
 * the labels alone can be explored.
 */
export async function openForExploring(
  path: string,
  options: OpenForExploringOptions = {},
): Promise<Dataset | LabelledFrames> {
  if (await isA(path, 'file')) return readLabels(path, options.labels);
  const hasLabels = await isA(join(path, 'train.csv'), 'file');
  if (hasLabels && !(await isA(join(path, 'train'), 'folder'))) {
    throw new DomainError(
      'dataset_invalid',
      'expected a folder "train" with the frames beside train.csv; name train.csv itself to explore its labels alone',
    );
  }
  return openDataset(path, options);
}

async function isA(path: string, kind: 'file' | 'folder'): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return kind === 'file' ? found?.isFile() === true : found?.isDirectory() === true;
}
