import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

export const colours = ['red', 'green', 'blue', 'yellow'] as const;

export async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-dataset-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a csv and, for each id, four files of a few bytes: opening never reads them. */
export async function writeDataset(
  t: ExecutionContext,
  csv: string,
  ids: readonly string[],
): Promise<string> {
  const folder = await newFolder(t);
  await mkdir(join(folder, 'train'));
  await writeFile(join(folder, 'train.csv'), csv);
  for (const id of ids) {
    for (const colour of colours) {
      await writeFile(join(folder, 'train', `${id}_${colour}.png`), `${id} ${colour}`);
    }
  }
  return folder;
}
