import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { workerFlags } from '../../worker-flags.js';
import type { BatchOrder } from './fill-batch.js';

/** What puts batches together beside the steps. */
export interface BatchMaker {
  /** uint8 `[N, C, H, W]`, as `fillBatch` makes it. */
  make(order: BatchOrder): Promise<Uint8Array>;
  /** Waits for what runs, and ends the threads. */
  close(): Promise<void>;
}

export interface BatchThreadsOptions {
  readonly threads: number;
  /** Orders that are given before the first is awaited. */
  readonly atOnce: number;
}

/**
 * Threads that put batches together. An order lies with a thread as soon as it is given,
 * `atOnce` of them: a step holds the caller's thread, which could hand out none meanwhile.
 */
export function createBatchThreads({ threads, atOnce }: BatchThreadsOptions): BatchMaker {
  const pool = new Piscina<BatchOrder, Uint8Array>({
    filename: fileURLToPath(new URL('./batch-worker.js', import.meta.url)),
    name: 'prepareBatch',
    minThreads: threads,
    maxThreads: threads,
    execArgv: [...workerFlags],
    concurrentTasksPerWorker: Math.ceil(atOnce / threads),
  });
  return { make: (order) => pool.run(order), close: () => pool.close() };
}
