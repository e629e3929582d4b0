import type { InferenceSession } from 'onnxruntime-node';
import type { Lack } from '../graph/index.js';
import type { Precision, ResizePlace } from './engine.js';

/** Where a model can run. */
export const deviceNames = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'directml', 'coreml'] as const;
/** One of them, as `--device` takes it. */
export type DeviceName = (typeof deviceNames)[number];

/** An execution provider, by the name that onnxruntime-node takes. */
type Provider = InferenceSession.ExecutionProviderConfig;

/** What is known of a device without touching it. */
export interface Device {
  /** Where the runtime has it at all: `process.platform`-`process.arch`. */
  readonly platforms: readonly string[] | 'any';
  /** What the runtime calls it. */
  readonly provider: Provider;
  /** Other devices that take what it cannot, before the CPU does; see `placesOf`. */
  readonly helpers: readonly DeviceName[];
  /**
   * Whether the first run of a shape may take as long as a load: shaders are compiled,
   * algorithms are tried, TensorRT builds an engine.
   */
  readonly isSlowAtFirst: boolean;
  /** Batch sizes of models where no setting says: up to what still gains on such a device. */
  readonly batchSizes: readonly number[];
  /** Batches that keep it busy: one runs while the bytes of the next travel. */
  readonly workers: number;
  /**
   * What models should run in: half where it is known to be faster. The CPU has no such
   * arithmetic, and WebGPU's depends on the GPU.
   */
  readonly precision: Precision;
  /** Where raw planes come to a model's size (docs/decisions/0024). */
  readonly resize: ResizePlace;
  /** What training graphs have to do without. */
  readonly lacks: readonly Lack[];
  /** Frames that go through a training's convolutions together: few where caches count. */
  readonly trainingFramesAtOnce: number;
  /**
   * Steps of a training that go to the device in one call, between which weights stay there:
   * several where the runtime has loops on the device. Elsewhere they would come back anyway.
   */
  readonly trainingStepsPerCall: number;
  /** More settings of a session, by the names that `onnxruntime_session_options_config_keys.h` has. */
  readonly sessionConfig: Readonly<Record<string, string>>;
  /** Set before the device's libraries are loaded, unless the operator has set it. */
  readonly environment: Readonly<Record<string, string>>;
}

const few = [1, 2, 4, 8, 16, 32] as const;
/** An NVIDIA GPU is busy only with hundreds of small frames. */
const many = [...few, 64, 128, 256] as const;

/**
 * Weights lie beside the arena: it grows by powers of two, and would grow from what they take.
 * Its own limit cannot be set through onnxruntime-node (docs/decisions/0021).
 */
const weightsBesideArena = { use_device_allocator_for_initializers: '1' };

const nvidiaEnvironment = {
  // NVIDIA's 10-bit products move a probability by more than a golden frame may.
  NVIDIA_TF32_OVERRIDE: '0',
  // GPUs are numbered as nvidia-smi numbers them, so that the one that is told is the one used.
  CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
};

/**
 * Every device, by its name. A new one is a line here, and a line in `device-checks.ts` if
 * something must be installed for it.
 */
export const devices: Readonly<Record<DeviceName, Device>> = {
  cpu: {
    platforms: 'any',
    provider: 'cpu',
    helpers: [],
    isSlowAtFirst: false,
    batchSizes: few,
    workers: 0,
    precision: 'full',
    resize: 'host',
    lacks: [],
    trainingFramesAtOnce: 4,
    trainingStepsPerCall: 1,
    sessionConfig: {},
    environment: {},
  },
  cuda: {
    platforms: ['linux-x64'],
    provider: 'cuda',
    helpers: [],
    isSlowAtFirst: true,
    batchSizes: many,
    workers: 2,
    precision: 'half',
    resize: 'means',
    lacks: ['poolIndices'],
    trainingFramesAtOnce: 32,
    trainingStepsPerCall: 8,
    sessionConfig: weightsBesideArena,
    environment: nvidiaEnvironment,
  },
  tensorrt: {
    platforms: ['linux-x64'],
    provider: 'tensorrt',
    helpers: ['cuda'],
    isSlowAtFirst: true,
    batchSizes: many,
    workers: 2,
    precision: 'half',
    resize: 'means',
    lacks: ['poolIndices'],
    trainingFramesAtOnce: 32,
    trainingStepsPerCall: 8,
    sessionConfig: weightsBesideArena,
    environment: nvidiaEnvironment,
  },
  webgpu: {
    platforms: ['linux-x64', 'win32-x64', 'win32-arm64', 'darwin-arm64'],
    provider: 'webgpu',
    helpers: [],
    isSlowAtFirst: true,
    batchSizes: few,
    workers: 1,
    precision: 'full',
    resize: 'means',
    lacks: ['poolIndices', 'sum'],
    trainingFramesAtOnce: 32,
    trainingStepsPerCall: 1,
    sessionConfig: {},
    environment: {},
  },
  directml: {
    platforms: ['win32-x64', 'win32-arm64'],
    provider: 'dml',
    helpers: [],
    isSlowAtFirst: true,
    batchSizes: few,
    workers: 1,
    precision: 'full',
    resize: 'host',
    lacks: ['poolIndices'],
    trainingFramesAtOnce: 32,
    trainingStepsPerCall: 1,
    sessionConfig: {},
    environment: {},
  },
  coreml: {
    platforms: ['darwin-arm64'],
    provider: 'coreml',
    helpers: [],
    isSlowAtFirst: true,
    batchSizes: few,
    workers: 1,
    precision: 'full',
    resize: 'host',
    lacks: ['poolIndices'],
    trainingFramesAtOnce: 32,
    trainingStepsPerCall: 1,
    sessionConfig: {},
    environment: {},
  },
};

/** What `auto` tries, best first; it ends with what every machine has. */
export const automaticDevices: readonly DeviceName[] = ['cuda', 'webgpu', 'cpu'];

/**
 * Sets what the device's libraries read when they are loaded. Only in the main thread: the
 * environment of a worker is a copy, which native libraries do not see.
 */
export function setDeviceEnvironment(name: DeviceName): void {
  for (const [variable, value] of Object.entries(devices[name].environment)) {
    process.env[variable] ??= value;
  }
}
