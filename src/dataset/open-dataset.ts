import { hpaChannels } from '../frames/index.js';
import { hpaLabels, type LabelSet } from '../label-set.js';
import type { Dataset, DatasetFrame, TestFolder } from './dataset.js';
import { createFaults, type Faults } from './faults.js';
import { readIds } from './frame-ids.js';
import { inTurns } from './in-turns.js';
import { checkPlaneFiles } from './plane-files.js';
import { readTable } from './read-table.js';

/** Up to four digits, so that the last part of a Human Protein Atlas GUID never counts. */
const fieldSuffix = /^(.+)-\d{1,4}$/;

export interface OpenOptions {
  /** Roles of the planes that every frame must have. @default the four of the Atlas */
  readonly channels?: readonly string[];
  /** @default the 28 of the Atlas */
  readonly labels?: LabelSet;
  /** Whether a `Target` must be there; one that is there is read and checked anyhow. @default true */
  readonly wantLabels?: boolean;
}

/**
 * Opens a folder in the Kaggle layout: `train.csv` with `Id,Target` (label numbers with
 * spaces between) and `train/<Id>_{red,green,blue,yellow}.png`, or `train/<Id>_<channel>.png`
 * for a channel that the Atlas does not have. A column `Group` or `group`, else an Id's
 * suffix `-<n>` of up to four digits, tells the field of view. No plane is opened yet.
 *
 * Throws `dataset_invalid` with all faults listed: no such folder or csv, a missing
 * column, no rows, a label out of range, an Id that comes twice or lacks a file.
 */
export async function openDataset(
  path: string,
  { channels = hpaChannels, labels = hpaLabels, wantLabels = true }: OpenOptions = {},
): Promise<Dataset> {
  const table = await readTable(path, 'train.csv');
  const faults = createFaults();
  const { header, file } = table;
  const targetAt = header.indexOf('Target');
  const groupAt = header.findIndex((name) => name === 'Group' || name === 'group');
  if (targetAt === -1 && wantLabels && header.length > 0) {
    faults.add(`${file} has no column Target, only ${header.slice(0, 8).join(', ')}`);
  }
  const frames: DatasetFrame[] = [];
  await inTurns(await readIds(table, faults), ({ id, line, cells }) => {
    const where = `${file} line ${line} (${id})`;
    const target = targetAt === -1 ? '' : (cells[targetAt] ?? '');
    const group = groupAt === -1 ? (fieldSuffix.exec(id)?.[1] ?? '') : (cells[groupAt] ?? '');
    frames.push({
      id,
      labelIndices: parseTarget(target, { where, labelCount: labels.length }, faults),
      group: group === '' ? null : group,
    });
  });
  const folder = { path, folder: 'train', channels } as const;
  const ids = frames.map(({ id }) => id);
  if (ids.length > 0) await checkPlaneFiles(folder, ids, faults);
  faults.throwIfAny();
  return {
    ...folder,
    labels,
    frames,
    hasLabels: targetAt !== -1,
  };
}

/**
 * Opens a test folder of the competition: `sample_submission.csv` with `Id,Predicted` and
 * `test/<Id>_{red,green,blue,yellow}.png`. Throws `dataset_invalid` as `openDataset` does.
 */
export async function openTestFolder(
  path: string,
  { channels = hpaChannels }: Pick<OpenOptions, 'channels'> = {},
): Promise<TestFolder> {
  const table = await readTable(path, 'sample_submission.csv');
  const faults = createFaults();
  const frames = (await readIds(table, faults)).map(({ id }) => ({
    id,
    labelIndices: [],
    group: null,
  }));
  const folder = { path, folder: 'test', channels } as const;
  const ids = frames.map(({ id }) => id);
  if (ids.length > 0) await checkPlaneFiles(folder, ids, faults);
  faults.throwIfAny();
  return { ...folder, frames };
}

function parseTarget(
  text: string,
  { where, labelCount }: { readonly where: string; readonly labelCount: number },
  faults: Faults,
): readonly number[] {
  const found = new Set<number>();
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    const label = /^\d{1,9}$/.test(part) ? Number(part) : Number.NaN;
    if (label < labelCount) found.add(label);
    else faults.add(`${where} has label "${part}", expected 0 to ${labelCount - 1}`);
  }
  return [...found].sort((a, b) => a - b);
}
