import { Worker } from 'node:worker_threads';
import { type Log, silentLog } from '../log.js';
import { type DeviceName, devices, setDeviceEnvironment } from './devices.js';
import type { Engine, Precision, ResizePlace } from './engine.js';
import { createWatchedEngine, type WatchOptions } from './watched-engine.js';
import type { RuntimeSettings } from './worker-messages.js';

/** How the engine runs models and watches its worker. */
export interface OnnxEngineOptions extends WatchOptions {
  /** Where the models run. @default 'cpu' */
  readonly device: DeviceName;
  /**
   * What its models should run in where their golden frames allow it; `auto`: as
   * `devices` has it. @default 'auto'
   */
  readonly precision: Precision | 'auto';
  /** Where raw planes come to a model's size; `auto`: as `devices` has it. @default 'auto' */
  readonly resize: ResizePlace | 'auto';
  /** Threads within one operator; 0 is one a core. @default 0 */
  readonly threads: number;
  /**
   * Whether idle threads of the runtime spin for work. @default false: with it a paced run
   * of `seed-cnn` cost 28 ms of CPU instead of 9, and on cores that others used too
   * (decoding, training) it took longer, 11 to 30 ms instead of 7
   */
  readonly spinning: boolean;
  /**
   * How far runs step back for the threads that receive and answer frames, 0 to 19; on Linux
   * only. @default 10: of eight streams by the clock on two cores p99 was 49 ms, with 5 it was 72
   */
  readonly niceness: number;
}

export interface OnnxEngineCollaborators {
  readonly log?: Log;
  /** Starts a thread with these settings. @default the worker beside this file */
  readonly startWorker?: (settings: RuntimeSettings) => Worker;
}

/**
 * ONNX Runtime on one device, in one worker thread.
 *
 * Behaviour: that of `createWatchedEngine`.
 * Use: alone, or several in an EnginePool. Not for: training, which has a process of its own.
 *
 * Throws `unsupported` when the runtime does not start at all, or not on this device.
 */
export async function createOnnxEngine(
  options: Partial<OnnxEngineOptions> = {},
  { log = silentLog, startWorker = startOnnxWorker }: OnnxEngineCollaborators = {},
): Promise<Engine> {
  const { device = 'cpu', threads = 0, spinning = false, niceness = 10 } = options;
  const { precision = 'auto', resize = 'auto' } = options;
  setDeviceEnvironment(device);
  return createWatchedEngine(options, {
    name: 'onnxruntime',
    device,
    precision: precision === 'auto' ? devices[device].precision : precision,
    resize: resize === 'auto' ? devices[device].resize : resize,
    batchSizes: devices[device].batchSizes,
    isSlowAtFirst: devices[device].isSlowAtFirst,
    runsGraphs: true,
    log,
    startWorker: (gate) => startWorker({ device, threads, spinning, niceness, gate }),
  });
}

/** Starts the thread that ONNX Runtime runs on. */
export function startOnnxWorker(settings: RuntimeSettings): Worker {
  return new Worker(new URL('./onnxruntime-worker.js', import.meta.url), {
    name: 'engine',
    workerData: settings,
    // Of the process's own, some (`--input-type`) forbid a thread with a file.
    execArgv: [],
  });
}
