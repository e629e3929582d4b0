import { Worker } from 'node:worker_threads';
import { type Log, silentLog } from '../log.js';
import type { Engine } from './engine.js';
import { prepareEnvironment, tensorflowPackages } from './tensorflow-runtime.js';
import type { TensorflowSettings } from './tensorflow-worker.js';
import { createWatchedEngine, type WatchOptions } from './watched-engine.js';

/** How TensorFlow runs models and is watched. */
export interface TensorflowEngineOptions extends WatchOptions {
  /**
   * Threads within one operator, of the native library on a CPU; the first engine of a
   * process decides for all. 0 is one a core. @default 0
   */
  readonly threads: number;
  /** How far runs step back for other threads, 0 to 19; on Linux only. @default 10 */
  readonly niceness: number;
  /** Where TensorFlow may come from, the best first. @default the packages of npm */
  readonly packages: readonly string[];
  /** Whether WebAssembly may stand in where nothing native is. @default true; else JavaScript */
  readonly canUseWasm: boolean;
}

export interface TensorflowEngineCollaborators {
  readonly log?: Log;
}

/**
 * TensorFlow in one worker thread: the native library where `@tensorflow/tfjs-node-gpu` or
 * `@tensorflow/tfjs-node` is installed, else TensorFlow.js' own WebAssembly or JavaScript.
 * `Session.device` says which: "tensorflow/gpu", "/cpu", "/wasm" or "/cpu (js)".
 *
 * It reads the network out of the same ONNX file that ONNX Runtime serves and runs it as
 * a layers model. A graph of other operators than `readOnnx` knows is refused with
 * `model_failed`. Behaves as `createWatchedEngine`.
 *
 * Throws `unsupported`, saying what to install, where there is no TensorFlow.
 */
export async function createTensorflowEngine(
  options: Partial<TensorflowEngineOptions> = {},
  { log = silentLog }: TensorflowEngineCollaborators = {},
): Promise<Engine> {
  const { threads = 0, niceness = 10, packages = tensorflowPackages, canUseWasm = true } = options;
  prepareEnvironment(threads);
  return createWatchedEngine(options, {
    name: 'tensorflow',
    log,
    startWorker: (gate) => {
      const settings: TensorflowSettings = { niceness, gate, packages, canUseWasm };
      return new Worker(new URL('./tensorflow-worker.js', import.meta.url), {
        name: 'tensorflow',
        workerData: settings,
        // Of the process's own, some (`--input-type`) forbid a thread with a file.
        execArgv: [],
      });
    },
  });
}
