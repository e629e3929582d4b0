import { createRequire } from 'node:module';
import { DomainError } from '../errors.js';

/** TensorFlow.js' interface, the same whatever computes behind it. */
export type Tensorflow = typeof import('@tensorflow/tfjs');

/** TensorFlow as it was found here. */
export interface TensorflowRuntime {
  readonly tf: Tensorflow;
  /** "gpu" or "cpu" of the native library; "wasm" or "cpu (js)" of TensorFlow.js' own. */
  readonly device: string;
  /** Why nothing better: "@tensorflow/tfjs-node-gpu: not installed"; empty for its GPU. */
  readonly steppedDown: readonly string[];
}

/** Where TensorFlow may come from, the best first; the native two are optional packages. */
export const tensorflowPackages = [
  '@tensorflow/tfjs-node-gpu',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs',
] as const;

const require = createRequire(import.meta.url);

/** How TensorFlow is looked for. */
export interface TensorflowRuntimeOptions {
  /** Packages, or folders of such, in the order in which they are tried. */
  readonly packages?: readonly string[];
  /**
   * Whether TensorFlow.js' WebAssembly may stand in where nothing native is: it is some
   * thirty times faster than its JavaScript, but has no gradient of a convolution.
   */
  readonly canUseWasm?: boolean;
}

/**
 * Loads TensorFlow into this thread from the first package that there is.
 *
 * Throws `unsupported` with the reason of each and with what to install.
 */
export async function loadTensorflow({
  packages = tensorflowPackages,
  canUseWasm = true,
}: TensorflowRuntimeOptions = {}): Promise<TensorflowRuntime> {
  restoreIsNullOrUndefined();
  const steppedDown: string[] = [];
  for (const name of packages) {
    try {
      const tf: Tensorflow = require(name);
      tf.enableProdMode(); // else it prints advice on standard error
      const device = await startBackend(tf, canUseWasm);
      if (device === 'cpu' && isForGpus(name)) steppedDown.push(`${name}: ${noGpu}`);
      return { tf, device, steppedDown };
    } catch (thrown) {
      steppedDown.push(`${name}: ${reasonOf(thrown, name)}`);
    }
  }
  throw new DomainError(
    'unsupported',
    `tensorflow is not there (${steppedDown.join('; ')}); install it with: npm i --ignore-scripts=false ${tensorflowPackages[0]}`,
  );
}

/**
 * Sets what the native library reads from the environment, where nobody has: its threads (0 is
 * one a core), and that it says errors alone. Only of use in the main thread, and before the
 * library is loaded: the environment of a worker is a copy.
 */
export function prepareEnvironment(threads: number): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  if (threads > 0) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
}

/** Its library is TensorFlow 2.9's, which opens those of CUDA by name and goes on without them. */
const noGpu = 'no GPU that it can use, so its CPU: it needs an NVIDIA GPU, CUDA 11.2 and cuDNN 8.1';

/** Whether a package, or the one in a folder, is built for GPUs. */
function isForGpus(name: string): boolean {
  const { name: own } = require(`${name}/package.json`) as { readonly name?: string };
  return own === tensorflowPackages[0];
}

/** What a NodeJSKernelBackend tells beside the interface of all backends. */
interface NativeBackend {
  readonly isUsingGpuDevice?: boolean;
}

async function startBackend(tf: Tensorflow, canUseWasm: boolean): Promise<string> {
  if (tf.findBackend('tensorflow')) {
    await tf.ready();
    const { isUsingGpuDevice } = tf.backend() as NativeBackend;
    return isUsingGpuDevice ? 'gpu' : 'cpu';
  }
  if (canUseWasm && isInstalled('@tensorflow/tfjs-backend-wasm')) {
    require('@tensorflow/tfjs-backend-wasm');
    if (await tf.setBackend('wasm')) return 'wasm';
  }
  await tf.setBackend('cpu');
  return 'cpu (js)';
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function reasonOf(thrown: unknown, name: string): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code === 'MODULE_NOT_FOUND' && message.includes(`'${name}'`)) return 'not installed';
  return (
    `${message}`
      .split('\n')[0]
      ?.replaceAll(/\S*\/\S*/g, '…')
      .slice(0, 200) ?? ''
  );
}

/** tfjs-node 4.22 calls a function that Node.js 23 took out of `util`. */
function restoreIsNullOrUndefined(): void {
  const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}
