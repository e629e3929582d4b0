import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { RunSpec } from '../run.js';
import type { StepBatch } from '../step-runner.js';
import { type FrameSize, variationRanges } from './augment.js';
import type { BatchTask } from './batch-worker.js';
import { type BatchOrder, fillBatch } from './fill-batch.js';
import type { FrameSet } from './frame-set.js';

/**
 * Puts the batches of an epoch together, ahead of the steps that take them.
 *
 * Behaviour: where the frames are in a file, threads read and vary the next batches while a
 * step holds the main thread; at most `ahead` and those of a call are ready or in the making, whose bytes are
 * the bound of its memory. Frames in memory are gathered by the caller's own thread. Either
 * way seed, epoch and order settle every byte of a batch.
 */
export interface BatchLoader {
  /** The batches of an epoch from its frame number `from` on, in the order of `rows`. */
  epoch(epoch: number, rows: readonly number[], from: number): AsyncIterable<StepBatch>;
  /** Waits for what runs, and ends the threads. */
  close(): Promise<void>;
}

export interface BatchLoaderOptions {
  readonly set: FrameSet;
  readonly size: FrameSize;
  readonly spec: Pick<RunSpec, 'seed' | 'batchSize' | 'augmentation'>;
  /** Batches that are taken at once, and so are made ahead together. @default 1 */
  readonly stepsPerCall?: number;
  /** That read and vary batches; how many there are changes no byte. @default 2 */
  readonly threads?: number;
}

/** Beside those that the steps take: one is ready, one is in the making. */
const ahead = 2;

export function createBatchLoader({
  set,
  size,
  spec,
  stepsPerCall = 1,
  threads = 2,
}: BatchLoaderOptions): BatchLoader {
  const { source, places, targets, labelCount } = set;
  const { file, frameBytes } = source;
  const pool = file
    ? new Piscina<BatchTask, Uint8Array>({
        filename: fileURLToPath(new URL('./batch-worker.js', import.meta.url)),
        name: 'prepareBatch',
        minThreads: 1,
        maxThreads: threads,
      })
    : null;
  const make = async (order: BatchOrder): Promise<Uint8Array> =>
    pool && file
      ? pool.run({ order, file, frameBytes })
      : fillBatch(order, (place, into) => source.read(place, into));

  const batchOf = async (rows: readonly number[], epoch: number, first: number) => {
    const range = spec.augmentation === 'none' ? null : variationRanges[spec.augmentation];
    const variation = range && { seed: spec.seed, epoch, first, range };
    const order = { places: rows.map((row) => places[row] ?? -1), size, variation };
    const pixels = await make(order);
    const picked = new Float32Array(rows.length * labelCount);
    for (const [at, row] of rows.entries()) {
      picked.set(targets.subarray(row * labelCount, (row + 1) * labelCount), at * labelCount);
    }
    return { pixels, targets: picked, frameCount: rows.length };
  };

  return {
    async *epoch(epoch, rows, from) {
      const pending: Promise<StepBatch>[] = [];
      let next = from;
      const order = (): void => {
        if (next >= rows.length) return;
        const batch = batchOf(rows.slice(next, next + spec.batchSize), epoch, next);
        // A run that ends early leaves some that nobody waits for.
        batch.catch(() => undefined);
        pending.push(batch);
        next += spec.batchSize;
      };
      for (let count = 0; count < (pool ? stepsPerCall + ahead : 1); count += 1) order();
      for (;;) {
        const batch = pending.shift();
        if (batch === undefined) return;
        const ready = await batch;
        order();
        yield ready;
      }
    },
    async close() {
      await pool?.close();
    },
  };
}
