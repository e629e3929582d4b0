import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A part of a dataset in the Kaggle layout: rows of its `train.csv`, and links to
 * their planes. `take` gets all rows, without the heading, and gives those wanted.
 */
export async function linkDataset(
  from: string,
  to: string,
  take: (rows: readonly string[]) => readonly string[],
  colours: readonly string[] = ['red', 'green', 'blue', 'yellow'],
): Promise<void> {
  const [heading, ...rows] = (await readFile(join(from, 'train.csv'), 'utf8'))
    .split(/\r?\n/)
    .filter((line) => line !== '');
  const taken = take(rows);
  await mkdir(join(to, 'train'), { recursive: true });
  await writeFile(join(to, 'train.csv'), `${[heading, ...taken].join('\n')}\n`);
  for (const row of taken) {
    const id = row.slice(0, row.lastIndexOf(','));
    for (const colour of colours) {
      const name = `${id}_${colour}.png`;
      await symlink(join(from, 'train', name), join(to, 'train', name));
    }
  }
}

/** `count` items spread evenly over all. */
export function spread<Item>(items: readonly Item[], count: number): readonly Item[] {
  const step = Math.max(1, items.length / count);
  return Array.from(
    { length: Math.min(count, items.length) },
    (_, index) => items[Math.floor(index * step)] as Item,
  );
}
