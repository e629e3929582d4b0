import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { openDataset, readFrame } from '../src/dataset/index.js';
import { createPreparer } from '../src/frames/index.js';
import { preparePlanes } from '../src/frames/prepare-planes.js';
import { simulateCells } from '../src/simulator/index.js';
import { defaultInputSpec } from '../src/training/index.js';
import { createFrameCache } from '../src/training/process/frame-cache.js';
import { loadFrames } from '../src/training/process/load-frames.js';
import { median } from './median.js';

/** How fast a run's first pass over large frames is, beside what its cores could do. */
export interface FirstPassMeasure {
  readonly framesPerSecond: number;
  /** Cores ÷ CPU seconds of preparing a frame on one thread. */
  readonly boundPerSecond: number;
  readonly ratio: number;
}

const sizePx = 2048;
const colours = ['red', 'green', 'blue', 'yellow'] as const;

/**
 * Measures the first pass of a training: frames of four 2048² PNG planes read from the
 * disk, decoded, resized and written into the cache of frames, as a run does it. Beside it
 * stands what all cores would do if each did nothing but prepare frames, by the CPU time of
 * one thread. Both take turns; the medians are compared.
 */
export async function measureFirstPass(frameCount = 32, rounds = 3): Promise<FirstPassMeasure> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-first-pass-'));
  try {
    const path = join(folder, 'cells');
    await writeLargeFrames(path, frameCount);
    const dataset = await openDataset(path);
    const cores = availableParallelism();
    const rates: number[] = [];
    const bounds: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const cpuMs = await cpuOfFrame(dataset);
      bounds.push((1000 * cores) / cpuMs);
      const startedAtMs = performance.now();
      const preparer = createPreparer({ threads: cores });
      const warn = (_message: string, thrown: unknown) => {
        throw thrown;
      };
      const loaded = await loadFrames(
        {
          ...{ dataset, frames: dataset.frames, inputSpec: defaultInputSpec },
          inFlight: 2 * cores,
        },
        {
          preparer,
          places: {
            cache: createFrameCache(
              { folder: join(folder, `cache-${round}`), maxBytes: 2 ** 30 },
              { warn },
            ),
            runFolder: folder,
          },
          warn,
          isStopRequested: () => false,
        },
        () => {},
      );
      rates.push((1000 * frameCount) / (performance.now() - startedAtMs));
      loaded?.source.close();
      await preparer.close();
    }
    const [framesPerSecond, boundPerSecond] = [median(rates), median(bounds)];
    return { framesPerSecond, boundPerSecond, ratio: framesPerSecond / boundPerSecond };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** CPU milliseconds of reading and preparing a frame on one thread, over four frames. */
async function cpuOfFrame(dataset: Awaited<ReturnType<typeof openDataset>>): Promise<number> {
  const some = dataset.frames.slice(0, 4);
  const before = process.cpuUsage();
  for (const listed of some) {
    const { planes, ...frame } = await readFrame(dataset, listed);
    const bytes = planes.map((plane) => plane.bytes);
    await preparePlanes({ frame, planes: bytes, spec: defaultInputSpec, maxPixels: 4096 ** 2 });
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / some.length;
}

/** A dataset of one simulated frame, enlarged and with a camera's noise, under many names. */
async function writeLargeFrames(path: string, frameCount: number): Promise<void> {
  await mkdir(join(path, 'train'), { recursive: true });
  const { planes } = simulateCells({ seed: 1, labels: [23], sizePx: 512 });
  const rows = Array.from({ length: frameCount }, (_, at) => `frame-${at},23`);
  await writeFile(join(path, 'train.csv'), ['Id,Target', ...rows, ''].join('\n'));
  for (const [at, { bytes }] of planes.entries()) {
    const enlarged = await sharp(bytes, { raw: { width: 512, height: 512, channels: 1 } })
      .resize(sizePx, sizePx)
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    for (let pixel = 0, noise = 1; pixel < enlarged.length; pixel += 1) {
      noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
      enlarged[pixel] = Math.min(255, (enlarged[pixel] ?? 0) + (noise >>> 30));
    }
    const first = join(path, 'train', `frame-0_${colours[at]}.png`);
    await sharp(enlarged, { raw: { width: sizePx, height: sizePx, channels: 1 } })
      .toColourspace('b-w')
      .png({ adaptiveFiltering: true })
      .toFile(first);
    for (let frame = 1; frame < frameCount; frame += 1) {
      await link(first, join(path, 'train', `frame-${frame}_${colours[at]}.png`));
    }
  }
}
