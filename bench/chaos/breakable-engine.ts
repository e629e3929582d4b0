import { Worker } from 'node:worker_threads';
import { createEnginePool, createOnnxEngine, type Engine } from '../../src/engines/index.js';
import type { Log } from '../../src/log.js';
import type { OrderedEngine } from '../soak/ordered-engine.js';
import { faults } from './breakable-worker.js';

/**
 * ONNX Runtime in worker threads as the server has it, which throw, exit or hang when they
 * are told to. An order goes to one worker, in turn.
 */
export async function openBreakableEngine(
  { runTimeoutMs, workers }: { readonly runTimeoutMs: number; readonly workers: number },
  log: Log,
): Promise<OrderedEngine> {
  /** The fault that each engine's present worker looks for. */
  const present: Int32Array[] = [];
  const open = (index: number): Promise<Engine> =>
    createOnnxEngine(
      { threads: 1, runTimeoutMs, restartDelayMs: 50 },
      {
        log,
        startWorker(settings) {
          const fault = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
          present[index] = fault;
          return new Worker(new URL('./breakable-worker.js', import.meta.url), {
            name: 'engine',
            workerData: { ...settings, fault },
            execArgv: [],
            // What it throws is told by the log.
            stderr: true,
          });
        },
      },
    );
  const first = await open(0);
  const others = await Promise.all(
    Array.from({ length: workers - 1 }, (_, index) => open(index + 1)),
  );
  let turn = 0;
  return {
    engine: createEnginePool([first, ...others]),
    obey({ kind }) {
      const fault = present[turn % present.length];
      turn += 1;
      if (kind === 'stall' || fault === undefined) return;
      Atomics.store(fault, 0, faults[kind]);
    },
  };
}
