import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hpaChannels } from '../frames/index.js';
import type { FrameFolder } from './dataset.js';
import type { Faults } from './faults.js';

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
  const names = await readdir(join(path, folder)).catch(() => null);
  if (names === null) {
    faults.add(`expected a folder ${folder}/ with the planes, there is none`);
    return;
  }
  const present = new Set(names);
  for (const id of ids) {
    for (const channel of channels) {
      const file = planeFile(id, channel);
      if (!present.has(file)) faults.add(`${folder}/${file} is missing`);
    }
  }
}
