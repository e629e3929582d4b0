import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

/**
 * Writes a dataset of 32×32 px whose label shows: the first where green is bright, the
 * second where yellow is, in turn. Frames are numbered from 0.
 */
export async function writeSmallDataset(
  folder: string,
  frameCount: number,
  {
    labels: [green, yellow] = [0, 25],
    framesPerField = 0,
  }: {
    readonly labels?: readonly [number, number];
    /** So many in a row are of one field of view; 0 is none that is told. */
    readonly framesPerField?: number;
  } = {},
): Promise<string> {
  await mkdir(join(folder, 'train'), { recursive: true });
  const rows = [framesPerField === 0 ? 'Id,Target' : 'Id,Target,Group'];
  for (let number = 0; number < frameCount; number += 1) {
    const bright = number % 2 === 0 ? 'green' : 'yellow';
    for (const [at, colour] of ['red', 'green', 'blue', 'yellow'].entries()) {
      const base = colour === bright ? 170 : 20;
      const pixels = Uint8Array.from(
        { length: 32 * 32 },
        (_, i) => base + (Math.imul(i + 1, Math.imul(number * 4 + at + 1, 2654435761)) >>> 26),
      );
      const png = sharp(pixels, { raw: { width: 32, height: 32, channels: 1 } });
      await png.toColourspace('b-w').toFile(join(folder, 'train', `cell${number}_${colour}.png`));
    }
    const field = framesPerField === 0 ? '' : `,field${Math.floor(number / framesPerField)}`;
    rows.push(`cell${number},${number % 2 === 0 ? green : yellow}${field}`);
  }
  await writeFile(join(folder, 'train.csv'), `${rows.join('\n')}\n`);
  return folder;
}
