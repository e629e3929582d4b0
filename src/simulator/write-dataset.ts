import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { DomainError } from '../errors.js';
import { makeFolder } from '../files/index.js';
import type { Frame } from '../frames/index.js';
import { drawLabels } from './draw-labels.js';
import { createRandom, mixSeed } from './random.js';
import { simulateCells } from './simulate-cells.js';

export interface SimulatedDatasetOptions {
  /** At least 1. */
  readonly frameCount: number;
  readonly sizePx: number;
  readonly seed: number;
  /** What may be seen; at least one. @default all 28 */
  readonly labels?: readonly number[];
}

/** Colours of the files, in the order of `hpaChannels`. */
const colours = ['red', 'green', 'blue', 'yellow'] as const;

/**
 * Writes simulated frames as a dataset in the Kaggle layout: `train.csv` (`Id,Target`) and
 * `train/<Id>_{red,green,blue,yellow}.png`, 8-bit grey, Ids `sim_000000` and on. The same
 * options give the same pixels. `train.csv` comes last: a folder without it is not whole.
 *
 * `onProgress` hears after each frame how many are written. An abort stops between frames.
 *
 * Throws `option_invalid`; `dataset_invalid` where the folder holds a `train.csv` already;
 * `storage_failed` where the folder cannot be written.
 */
export async function writeSimulatedDataset(
  dir: string,
  options: SimulatedDatasetOptions,
  onProgress: (done: number, total: number) => void = () => {},
  signal?: AbortSignal,
): Promise<void> {
  const { frameCount, sizePx, seed } = options;
  if (!Number.isInteger(frameCount) || frameCount < 1) {
    throw new DomainError('option_invalid', `expected 1 frame or more, got ${frameCount}`);
  }
  if (await exists(join(dir, 'train.csv'))) {
    throw new DomainError(
      'dataset_invalid',
      'expected a folder without a dataset, got one with a train.csv',
    );
  }
  await storing(() => makeFolder(join(dir, 'train')));
  const random = createRandom(mixSeed(seed, -1));
  const rows = ['Id,Target'];
  let writing: Promise<void> | null = null;
  for (let index = 0; index < frameCount; index++) {
    const labels = drawLabels(random, options.labels);
    const id = `sim_${String(index).padStart(6, '0')}`;
    const frame = simulateCells({ seed: mixSeed(seed, index), labels, sizePx });
    // The frame before is compressed on another thread while this one is made.
    if (writing !== null) {
      await writing;
      onProgress(index, frameCount);
    }
    if (signal?.aborted) throw DomainError.from(signal.reason);
    writing = storing(() => writePlanes(join(dir, 'train', id), frame));
    rows.push(`${id},${labels.join(' ')}`);
  }
  await writing;
  onProgress(frameCount, frameCount);
  await storing(() => writeFile(join(dir, 'train.csv'), `${rows.join('\n')}\n`));
}

async function writePlanes(path: string, frame: Frame): Promise<void> {
  const raw = { width: frame.widthPx, height: frame.heightPx, channels: 1 } as const;
  await Promise.all(
    frame.planes.map(async ({ bytes }, i) => {
      const png = await sharp(bytes, { raw })
        .toColourspace('b-w')
        .png({ compressionLevel: 6, adaptiveFiltering: true })
        .toBuffer();
      await writeFile(`${path}_${colours[i]}.png`, png);
    }),
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Runs a write; what the disk refuses becomes `storage_failed` with the system's own word. */
async function storing(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === undefined) throw thrown;
    throw new DomainError('storage_failed', `expected a folder that can be written, got ${code}`, {
      cause: thrown,
    });
  }
}
