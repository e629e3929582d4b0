import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { makeFolder } from '../make-folder.js';

export const colours = ['red', 'green', 'blue', 'yellow'] as const;

/** Writes a csv and, for each id, four files of a few bytes: opening never reads them. */
export async function writeDataset(
  t: ExecutionContext,
  csv: string,
  ids: readonly string[],
): Promise<string> {
  const folder = await makeFolder(t);
  await mkdir(join(folder, 'train'));
  await writeFile(join(folder, 'train.csv'), csv);
  for (const id of ids) {
    for (const colour of colours) {
      await writeFile(join(folder, 'train', `${id}_${colour}.png`), `${id} ${colour}`);
    }
  }
  return folder;
}
