import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { hpaChannels } from '../frames/index.js';
import type { FrameFolder } from './dataset.js';
import type { Faults } from './faults.js';
import { inTurns } from './in-turns.js';

const colours = ['red', 'green', 'blue', 'yellow'] as const;

/** Name of a plane's file: the colour of a Human Protein Atlas role, else the role itself. */
export function planeFile(id: string, channel: string): string {
  const at = (hpaChannels as readonly string[]).indexOf(channel);
  return `${id}_${colours[at] ?? channel}.png`;
}

/** Adds a fault for every plane that has no file. Reads the folder once, no file. */
export async function checkPlaneFiles(
  { path, folder, channels }: FrameFolder,
  ids: readonly string[],
  faults: Faults,
): Promise<void> {
  const present = await namesIn(join(path, folder)).catch(() => null);
  if (present === null) {
    faults.add(`expected a folder ${folder}/ with the planes, there is none`);
    return;
  }
  await inTurns(ids, (id) => {
    for (const channel of channels) {
      const file = planeFile(id, channel);
      if (!present.has(file)) faults.add(`${folder}/${file} is missing`);
    }
  });
}

/** Some names at a time: a folder may hold a hundred thousand. */
async function namesIn(folder: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for await (const { name } of await opendir(folder, { bufferSize: 1024 })) names.add(name);
  return names;
}
