import { availableParallelism } from 'node:os';
import type { Config } from '../config.js';
import { createEnginePool, createOnnxEngine, type Engine } from '../engines/index.js';
import type { Log } from '../telemetry/index.js';

/**
 * Each worker keeps the weights once more, and more threads of one run shorten it: past
 * this many workers the cores left go into threads.
 */
const mostWorkers = 4;

/**
 * Starts the engine that a Config asks for: ONNX Runtime on the CPU, in workers that share
 * the cores. Throws `unsupported` when the runtime does not start.
 */
export async function openEngine(
  { engineWorkers, engineThreads }: Pick<Config, 'engineWorkers' | 'engineThreads'>,
  log: Log,
): Promise<Engine> {
  const { workers, threads } = shareCores(availableParallelism(), engineWorkers, engineThreads);
  log.info({ workers, threads }, 'the engine starts');
  const start = () => createOnnxEngine({ threads }, { log });
  const first = await start();
  try {
    const others = await Promise.all(Array.from({ length: workers - 1 }, start));
    return createEnginePool([first, ...others]);
  } catch (error) {
    await first.close();
    throw error;
  }
}

/** How many runs go on at once, and on how many threads each; 0 of either means chosen here. */
export function shareCores(
  cores: number,
  workers: number,
  threads: number,
): { readonly workers: number; readonly threads: number } {
  const chosen = workers > 0 ? workers : Math.min(cores, mostWorkers);
  const share = Math.max(1, Math.floor(cores / chosen));
  return { workers: chosen, threads: threads > 0 ? threads : share };
}
