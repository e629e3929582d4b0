import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openDataset, type SplitOptions, splitDataset } from '../src/dataset/index.js';
import { createPreparer } from '../src/frames/index.js';
import { buildTrainingStep, drawDropoutMasks, initialiseParameters } from '../src/graph/index.js';
import { hpaLabels } from '../src/label-set.js';
import { packageRoot } from '../src/package-root.js';
import { defaultInputSpec } from '../src/training/index.js';
import { createNetwork } from '../src/training/networks/index.js';
import { createFrameOrder } from '../src/training/process/frame-order.js';
import {
  createBatchBuffers,
  type FrameSet,
  gatherBatch,
} from '../src/training/process/frame-set.js';
import { loadFrames } from '../src/training/process/load-frames.js';
import type { HeldOut, TrainingOptions } from './seed-on-cells-here.js';

/**
 * Where PyTorch's chance comes from: `ours` hands it the very weights to start from, the
 * orders of frames and the dropout masks of our run, so that nothing is left to chance;
 * `glorot` and `torch` draw their own, with Keras's initial weights or PyTorch's.
 */
export const draws = ['ours', 'glorot', 'torch'] as const;
export type Draws = (typeof draws)[number];

export interface YardstickOptions extends TrainingOptions {
  /** A Python that has PyTorch. */
  readonly python: string;
  readonly draws: Draws;
}

/**
 * Trains `seed-cnn` in PyTorch on the very split and pixels that our run of the
 * same seed has, and returns the scores of the epoch of the lowest held-out loss, as
 * ours are. Prints each epoch.
 */
export async function trainYardstick(
  dataPath: string,
  { python, split, draws, epochs, batchSize }: YardstickOptions,
): Promise<HeldOut> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-yardstick-'));
  try {
    const training = await writeParts(dataPath, { folder, split });
    if (draws === 'ours') await writeDraws(training, { folder, seed: split.seed, epochs });
    const script = join(packageRoot, 'bench/seed_on_cells_torch.py');
    const args = [script, folder, draws, ...[epochs, split.seed, batchSize].map(String)];
    const child = spawn(python, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const steps = Math.ceil(training.frames.length / batchSize) * epochs;
    const masks = draws === 'ours' ? masksOf(split.seed, { steps, batchSize }) : [];
    const [scores, [code]] = await Promise.all([
      readScores(child.stdout),
      once(child, 'exit'),
      // A child that ends early says why by its exit code.
      pipeline(Readable.from(masks), child.stdin).catch(() => undefined),
    ]);
    const best = scores.toSorted((a, b) => a.crossEntropy - b.crossEntropy)[0];
    if (code !== 0 || !best) throw new Error(`the yardstick ended with exit code ${code}`);
    return best;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes pixels and targets of both parts, and returns the training part. */
async function writeParts(
  dataPath: string,
  { folder, split }: { readonly folder: string; readonly split: SplitOptions },
): Promise<FrameSet> {
  const preparer = createPreparer({ threads: 1 });
  try {
    const dataset = await openDataset(dataPath);
    const { training, validation } = splitDataset(dataset, split);
    const write = async (part: string, frames: typeof training): Promise<FrameSet> => {
      const set = await loadFrames(
        { dataset, frames, inputSpec: defaultInputSpec, inFlight: 2 },
        { preparer, places: null, warn: console.error, isStopRequested: () => false },
        () => undefined,
      );
      if (set === null) throw new Error('nobody asked to stop');
      const rows = set.frames.map((_, row) => row);
      const { pixels } = gatherBatch(set, rows, createBatchBuffers(set, rows.length));
      await writeFile(join(folder, `${part}-pixels.bin`), pixels);
      await writeFile(join(folder, `${part}-targets.bin`), set.targets);
      return set;
    };
    await write('validation', validation);
    return await write('training', training);
  } finally {
    await preparer.close();
  }
}

const { channels, heightPx, widthPx } = defaultInputSpec;
const network = createNetwork('seed-cnn', {
  ...{ channels: channels.length, heightPx, widthPx },
  labelCount: hpaLabels.length,
});

/** Writes the weights that a seed starts from, one behind the other, and its orders of frames. */
async function writeDraws(
  training: FrameSet,
  {
    folder,
    seed,
    epochs,
  }: { readonly folder: string; readonly seed: number; readonly epochs: number },
): Promise<void> {
  const tensors = [...initialiseParameters(network, seed).values()];
  await writeFile(
    join(folder, 'weights.bin'),
    Buffer.concat(tensors.map(({ values }) => new Uint8Array(values.buffer))),
  );
  const order = createFrameOrder({ sampling: 'shuffled', seed }, training);
  const orders = Array.from({ length: epochs }, (_, epoch) => order(epoch + 1));
  await writeFile(join(folder, 'orders.bin'), Int32Array.from(orders.flat()));
}

/** The masks of every step, in the order of the layers: a byte an element, as they are used. */
function* masksOf(
  seed: number,
  { steps, batchSize }: { readonly steps: number; readonly batchSize: number },
): Iterable<Uint8Array> {
  const specs = buildTrainingStep(network, { batchSize }).masks;
  for (let step = 1; step <= steps; step += 1) {
    const masks = drawDropoutMasks(specs, { seed, step });
    for (const { name } of specs) yield masks[name]!.values;
  }
}

/** Prints what the script says and gathers the scores, which are lines of JSON. */
async function readScores(output: Readable): Promise<readonly HeldOut[]> {
  const scores: HeldOut[] = [];
  for await (const line of createInterface({ input: output })) {
    if (line.startsWith('{')) scores.push(JSON.parse(line));
    else console.log(line);
  }
  return scores;
}
