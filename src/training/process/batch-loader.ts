import type { RunSpec } from '../run.js';
import type { StepBatch } from '../step-runner.js';
import { type FrameSize, variationRanges } from './augment.js';
import { type BatchMaker, createBatchThreads } from './batch-threads.js';
import { type FrameSet, pickTargets } from './frame-set.js';

/**
 * Puts the batches of an epoch together, ahead of the steps that take them.
 *
 * Behaviour: threads read and vary the next batches while a step holds the main thread,
 * from the cache's file or from memory; at most `ahead` and those of a call are ready or in
 * the making, whose bytes are the bound of its memory. Seed, epoch and order settle every
 * byte of a batch, whoever makes it.
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

export function createBatchLoader(
  { set, size, spec, stepsPerCall = 1, threads = 2 }: BatchLoaderOptions,
  /** @default `threads` of this process */
  maker: BatchMaker = createBatchThreads({ threads, atOnce: stepsPerCall + ahead }),
): BatchLoader {
  const { source, places, labelCount } = set;

  const batchOf = async (rows: readonly number[], epoch: number, first: number) => {
    const range = spec.augmentation === 'none' ? null : variationRanges[spec.augmentation];
    const variation = range && { seed: spec.seed, epoch, first, range };
    const frames = source.share(rows.map((row) => places[row] ?? -1));
    const pixels = await maker.make({ frames, frameCount: rows.length, size, variation });
    const targets = pickTargets(set, rows, new Float32Array(rows.length * labelCount));
    return { pixels, targets, frameCount: rows.length };
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
      for (let count = 0; count < stepsPerCall + ahead; count += 1) order();
      for (;;) {
        const batch = pending.shift();
        if (batch === undefined) return;
        const ready = await batch;
        order();
        yield ready;
      }
    },
    close: () => maker.close(),
  };
}
