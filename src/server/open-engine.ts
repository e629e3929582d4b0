import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Config } from '../config.js';
import {
  automaticDevices,
  checkDevice,
  createEnginePool,
  createMachine,
  createOnnxEngine,
  createTensorflowEngine,
  type DeviceName,
  devices,
  type Engine,
  type Machine,
  type OnnxEngineOptions,
  openRemoteEngine,
  remedyOf,
  withGraphs,
} from '../engines/index.js';
import { DomainError } from '../errors.js';
import type { Log } from '../log.js';
import { openTokenFile } from './token-file.js';

/** The settings of each engine, by its name. */
type Openers = {
  readonly [Name in Config['engine']]: (config: Config, log: Log) => Promise<Engine>;
};

const openers: Openers = {
  onnxruntime: openOnnxRuntime,
  tensorflow: openTensorflow,
  remote: openRemote,
};

/**
 * Starts the engine that a Config asks for. Throws `unsupported` when the runtime does not
 * start, `option_invalid` for a file of the settings that cannot be read.
 */
export async function openEngine(config: Config, log: Log): Promise<Engine> {
  return explainingHere(await openers[config.engine](config, log), log);
}

/** What runs models alone, or elsewhere, has its answers explained in a worker of this process. */
export function explainingHere(engine: Engine, log: Log): Engine {
  return withGraphs(engine, () => {
    log.info({ engine: engine.name }, 'explanations are run in this process');
    return createOnnxEngine({ threads: 1 }, { log });
  });
}

/**
 * Each worker keeps the weights once more, and more threads of one run shorten it: past
 * this many workers the cores left go into threads.
 */
const mostWorkers = 4;

/**
 * ONNX Runtime on the device that is named, or with `auto` on the first that works; one line
 * of the log says where, and why not on those before it. Throws `unsupported` with what is
 * missing and what to install.
 */
export async function openOnnxRuntime(
  config: Pick<Config, 'device' | 'precision' | 'engineWorkers' | 'engineThreads'> &
    Partial<Pick<Config, 'resize' | 'engineTimeoutMs'>>,
  log: Log,
  machine: Machine = createMachine(),
): Promise<Engine> {
  const isNamed = config.device !== 'auto';
  const names = config.device === 'auto' ? automaticDevices : [config.device];
  const steppedDown: string[] = [];
  for (const device of names) {
    const { obstacle, found } = await checkDevice(device, machine, { isNamed });
    if (obstacle !== null) {
      steppedDown.push(`${device}: ${obstacle}`);
      continue;
    }
    const shares = shareMachine(device, config);
    try {
      const { precision, resize = 'auto', engineTimeoutMs: runTimeoutMs = 30_000 } = config;
      const engine = await openPool({ device, precision, resize, runTimeoutMs }, shares, log);
      const reasons = steppedDown.length > 0 ? { steppedDown: steppedDown.join('; ') } : {};
      const { precision: chosen, resize: place } = engine;
      const about = {
        device,
        precision: chosen,
        resize: place,
        ...(found && { found }),
        ...shares,
      };
      log.info({ ...about, ...reasons }, 'the engine starts');
      return engine;
    } catch (thrown) {
      const { message } = DomainError.from(thrown);
      const remedy = device === 'cpu' ? '' : `, ${remedyOf(device)}`;
      steppedDown.push(`${device}: ${message}${remedy}`);
    }
  }
  throw new DomainError('unsupported', `no device can be used: ${steppedDown.join('; ')}`);
}

/** What `auto` tries for training, best first. */
const trainingDevices: readonly DeviceName[] = ['cuda', 'cpu'];

/**
 * Where trainings may run, best first: the device that is named, or with `auto` those against which
 * nothing speaks; one line of the log says so. Whether a device starts is seen by each run.
 * Throws `unsupported` with what to install.
 */
export async function findTrainingDevices(
  asked: Config['trainingDevice'],
  log: Log,
  machine: Machine = createMachine(),
): Promise<readonly DeviceName[]> {
  const isNamed = asked !== 'auto';
  const devicesFound: DeviceName[] = [];
  const steppedDown: string[] = [];
  const about: string[] = [];
  for (const device of isNamed ? [asked] : trainingDevices) {
    const { obstacle, found } = await checkDevice(device, machine, { isNamed });
    if (obstacle === null) devicesFound.push(device);
    else steppedDown.push(`${device}: ${obstacle}`);
    if (obstacle === null && found !== '') about.push(found);
  }
  const [device] = devicesFound;
  if (device === undefined) {
    throw new DomainError('unsupported', `training cannot run on ${steppedDown.join('; ')}`);
  }
  const [found] = about;
  const reasons = steppedDown.length > 0 ? { steppedDown: steppedDown.join('; ') } : {};
  log.info({ device, ...(found && { found }), ...reasons }, 'trainings run here');
  return devicesFound;
}

/** Workers, each with the threads of one run. */
interface Shares {
  readonly workers: number;
  readonly threads: number;
}

function shareMachine(
  device: DeviceName,
  { engineWorkers, engineThreads }: Pick<Config, 'engineWorkers' | 'engineThreads'>,
): Shares {
  if (device === 'cpu') return shareCores(availableParallelism(), engineWorkers, engineThreads);
  const { workers } = devices[device];
  return { workers: engineWorkers || workers, threads: engineThreads || 1 };
}

function openPool(
  on: Pick<OnnxEngineOptions, 'device' | 'precision' | 'resize' | 'runTimeoutMs'>,
  { workers, threads }: Shares,
  log: Log,
): Promise<Engine> {
  return poolOf(workers, () => createOnnxEngine({ ...on, threads }, { log }));
}

/** So many engines as one; where one of them does not start, none is left. */
export async function poolOf(workers: number, start: () => Promise<Engine>): Promise<Engine> {
  // A device that does not start at all is tried once.
  const first = await start();
  const starts = await Promise.allSettled(Array.from({ length: workers - 1 }, start));
  const others = starts.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const refusal = starts.find((each) => each.status === 'rejected');
  if (!refusal) return createEnginePool([first, ...others]);
  await Promise.allSettled([first, ...others].map((engine) => engine.close()));
  throw refusal.reason;
}

/** TensorFlow as it is installed; its own threads fill the machine, so one worker is enough. */
function openTensorflow(
  {
    tensorflowPackage,
    engineWorkers,
    engineThreads: threads,
    engineTimeoutMs: runTimeoutMs,
  }: Pick<Config, 'tensorflowPackage' | 'engineWorkers' | 'engineThreads' | 'engineTimeoutMs'>,
  log: Log,
): Promise<Engine> {
  const packages = tensorflowPackage === '' ? {} : { packages: [tensorflowPackage] };
  return poolOf(engineWorkers || 1, () =>
    createTensorflowEngine({ threads, runTimeoutMs, ...packages }, { log }),
  );
}

/** Batches on their way at once to another server: the network is not waited for in turn. */
const remoteLanes = 4;

/**
 * Another server of the Open Inference Protocol; it need not be there yet, but the files of the
 * settings are read, the token too.
 */
async function openRemote(config: Config, log: Log): Promise<Engine> {
  const { remote, remoteModel, remoteAuthority: authority, engineWorkers } = config;
  const { engineTimeoutMs: runTimeoutMs } = config;
  const [authorities, cert, key] = await Promise.all(
    (['remoteAuthorities', 'remoteCert', 'remoteKey'] as const).map((name) =>
      readSetting(name, config[name]),
    ),
  );
  const token = config.remoteTokenFile === '' ? null : openTokenFile(config.remoteTokenFile);
  await token?.();
  const lanes = engineWorkers > 0 ? engineWorkers : remoteLanes;
  log.info({ remote, remoteModel, lanes }, 'the engine is another server');
  if (token !== null && !remote.startsWith('grpcs://')) {
    log.warn({ remote }, 'the token goes to the model server in plain text');
  }
  return openRemoteEngine(
    {
      ...{ remote, remoteModel, lanes, authority, token, runTimeoutMs },
      authorities: authorities ?? null,
      identity: cert && key ? { cert, key } : null,
      precision: config.precision === 'half' ? 'half' : 'full',
    },
    { log },
  );
}

/** The bytes of a file of the settings; null for none. Throws `option_invalid`. */
async function readSetting(name: keyof Config, path: string): Promise<Buffer | null> {
  if (path === '') return null;
  return readFile(path).catch((cause: unknown) => {
    const message = `${name}: expected a file that can be read`;
    throw new DomainError('option_invalid', message, { cause });
  });
}

/** How many runs go on at once, and on how many threads each; 0 of either means chosen here. */
export function shareCores(cores: number, workers: number, threads: number): Shares {
  const chosen = workers > 0 ? workers : Math.min(cores, mostWorkers);
  const share = Math.max(1, Math.floor(cores / chosen));
  return { workers: chosen, threads: threads > 0 ? threads : share };
}
