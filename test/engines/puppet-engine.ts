import { Worker } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';
import type { Engine } from '../../src/engines/index.js';
import { createWatchedEngine } from '../../src/engines/watched-engine.js';
import { type Log, silentLog } from '../../src/log.js';
import { words } from './puppet-worker.js';

/** An engine whose worker ends and whose loads and runs fail when a test wants it. */
export interface PuppetEngine {
  readonly engine: Engine;
  /** Ends the worker, which is then started again. */
  crash(): Promise<unknown>;
  /** Gives an order; see `words`. */
  order(word: 'refused' | 'wrongRuns' | 'elsewhere', value: number): void;
  /** What the workers have counted; see `words`. */
  seen(word: 'loaded' | 'rows'): number;
  /** Resolves with the fields of the next line of the log that begins so. */
  told(message: string): Promise<Readonly<Record<string, unknown>>>;
}

/** Opens one, which is closed after the test. It answers as the fake engine does. */
export async function openPuppetEngine(
  t: Pick<ExecutionContext, 'teardown'>,
): Promise<PuppetEngine> {
  const memory = new Int32Array(new SharedArrayBuffer(8 * Int32Array.BYTES_PER_ELEMENT));
  const workers: Worker[] = [];
  const waiting = new Set<(fields: object, message: string) => void>();
  const tell = (fields: object, message: string) => {
    for (const hear of waiting) hear(fields, message);
  };
  const log: Log = { ...silentLog, info: tell, warn: tell, error: tell };
  const engine = await createWatchedEngine(
    { restartDelayMs: 5 },
    {
      name: 'puppet',
      log,
      startWorker(gate) {
        const worker = new Worker(new URL('./puppet-worker.js', import.meta.url), {
          workerData: { gate, memory },
          execArgv: [],
        });
        workers.push(worker);
        return worker;
      },
    },
  );
  t.teardown(() => engine.close());
  return {
    engine,
    crash: async () => workers.at(-1)?.terminate(),
    order: (word, value) => void Atomics.store(memory, words[word], value),
    seen: (word) => Atomics.load(memory, words[word]),
    told: (message) =>
      new Promise((resolve) => {
        const hear = (fields: object, said: string) => {
          if (!said.startsWith(message)) return;
          waiting.delete(hear);
          resolve({ ...fields });
        };
        waiting.add(hear);
      }),
  };
}
