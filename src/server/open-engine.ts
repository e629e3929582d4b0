import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Config } from '../config.js';
import {
  createEnginePool,
  createOnnxEngine,
  createRemoteEngine,
  type Engine,
} from '../engines/index.js';
import { DomainError } from '../errors.js';
import type { Log } from '../telemetry/index.js';

/** The settings of each engine, by its name. */
type Openers = {
  readonly [Name in Config['engine']]: (config: Config, log: Log) => Promise<Engine>;
};

const openers: Openers = { onnxruntime: openOnnxRuntime, remote: openRemote };

/**
 * Starts the engine that a Config asks for. Throws `unsupported` when the runtime does not
 * start, `option_invalid` for a file of the settings that cannot be read.
 */
export function openEngine(config: Config, log: Log): Promise<Engine> {
  return openers[config.engine](config, log);
}

/**
 * Each worker keeps the weights once more, and more threads of one run shorten it: past
 * this many workers the cores left go into threads.
 */
const mostWorkers = 4;

/** ONNX Runtime on the CPU, in workers that share the cores. */
export async function openOnnxRuntime(
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

/** Batches on their way at once to another server: the network is not waited for in turn. */
const remoteLanes = 4;

/** Another server of the Open Inference Protocol; it need not be there yet. */
async function openRemote(
  {
    remote,
    remoteModel,
    remoteAuthorities,
    engineWorkers,
  }: Pick<Config, 'remote' | 'remoteModel' | 'remoteAuthorities' | 'engineWorkers'>,
  log: Log,
): Promise<Engine> {
  const authorities =
    remoteAuthorities === ''
      ? null
      : await readFile(remoteAuthorities).catch((cause: unknown) => {
          const message = 'remoteAuthorities: expected a file that can be read';
          throw new DomainError('option_invalid', message, { cause });
        });
  const lanes = engineWorkers > 0 ? engineWorkers : remoteLanes;
  log.info({ remote, remoteModel, lanes }, 'the engine is another server');
  return createRemoteEngine({ remote, remoteModel, authorities, lanes }, { log });
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
