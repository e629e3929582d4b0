import { join } from 'node:path';
import { type DeviceName, devices } from './devices.js';
import { findLibrary, type Machine } from './machine.js';

/** What a look at a device gave, before anything is run on it. */
export interface DeviceFinding {
  /** What is missing and what to install; null when nothing speaks against it. */
  readonly obstacle: string | null;
  /** What is there, for the log: "NVIDIA H200, driver 580.65.06, CUDA 13.0.96, cuDNN 9.13.0". */
  readonly found: string;
}

type Check = (machine: Machine, options: CheckOptions) => Promise<DeviceFinding>;

export interface CheckOptions {
  /** Whether an operator named it: then a GPU that is only simulated will do. */
  readonly isNamed: boolean;
}

/** What must be there for a device; what is not listed comes with the runtime. */
const checks: Partial<Record<DeviceName, Check>> = {
  cuda: (machine) => checkCuda(machine, 'cuda', cudaLibraries),
  tensorrt: (machine) =>
    checkCuda(machine, 'tensorrt', [...cudaLibraries, 'libnvinfer.so.10', 'libnvonnxparser.so.10']),
  webgpu: checkVulkan,
};

/**
 * Looks whether a device could be used: takes milliseconds, loads nothing and prints
 * nothing, so that a machine without a GPU starts without a word about drivers.
 */
export async function checkDevice(
  name: DeviceName,
  machine: Machine,
  options: CheckOptions,
): Promise<DeviceFinding> {
  const { platforms } = devices[name];
  if (platforms !== 'any' && !platforms.includes(machine.platform)) {
    const where = platforms.join(', ');
    return { obstacle: `it runs on ${where}, this is ${machine.platform}`, found: '' };
  }
  return checks[name]?.(machine, options) ?? { obstacle: null, found: '' };
}

/**
 * What the CUDA provider of ONNX Runtime 1.29 for CUDA 13 loads: by `readelf -d`, and cuDNN,
 * which it opens by name when it is first used.
 */
const cudaLibraries = [
  'libcuda.so.1',
  'libcudart.so.13',
  'libcublas.so.13',
  'libcublasLt.so.13',
  'libcurand.so.10',
  'libcudnn.so.9',
];
/** docs.nvidia.com/cuda/cuda-toolkit-release-notes: the first driver for CUDA 13. */
const leastDriver = 580;

async function checkCuda(
  machine: Machine,
  provider: 'cuda' | 'tensorrt',
  names: readonly string[],
): Promise<DeviceFinding> {
  const words = ['--query-gpu=driver_version,name,uuid', '--format=csv,noheader'];
  const gpus = ((await machine.run('nvidia-smi', words)) ?? '')
    .split('\n')
    .map((line) => line.split(',').map((word) => word.trim()))
    .map(([driver = '', gpu = '', uuid = '']) => ({ driver, gpu, uuid }))
    .filter(({ driver }) => driver !== '');
  const [{ driver } = { driver: '' }] = gpus;
  if (driver === '') {
    const wanted = `install NVIDIA's driver, version ${leastDriver} or newer`;
    return { obstacle: `no NVIDIA GPU answers: ${wanted}`, found: '' };
  }
  const gpu = firstVisible(gpus, machine.visibleGpus);
  if (gpu === null) {
    const setting = `CUDA_VISIBLE_DEVICES="${machine.visibleGpus}"`;
    return {
      obstacle: `${setting} hides every GPU: name one of ${gpus.length}, or unset it`,
      found: '',
    };
  }
  const paths = await Promise.all(names.map((name) => findLibrary(machine, name)));
  const versionOf = (name: string) =>
    /\.so\.([\d.]+)$/.exec(paths[names.indexOf(name)] ?? '')?.[1] ?? 'not found';
  const found = `${gpu}, driver ${driver}, CUDA ${versionOf('libcudart.so.13')}, cuDNN ${versionOf('libcudnn.so.9')}`;
  const missing = names.filter((_, index) => paths[index] === null);
  const faults: string[] = [];
  if (Number.parseInt(driver, 10) < leastDriver) {
    faults.push(`CUDA 13 needs driver ${leastDriver} or newer`);
  }
  if (!machine.exists(join(machine.runtimeFolder, `libonnxruntime_providers_${provider}.so`))) {
    faults.push("the runtime's CUDA libraries are missing: run scripts/install-cuda.sh");
  }
  if (missing.length > 0) {
    faults.push(`${missing.join(', ')} not found: ${toInstall(missing)}`);
  }
  return { obstacle: faults.length > 0 ? `${faults.join('; ')} (${found})` : null, found };
}

/**
 * What CUDA calls its first GPU, by CUDA_VISIBLE_DEVICES: numbers, or the beginnings of UUIDs, up
 * to the first that is none. Null where it hides all. Source: CUDA C++ Programming Guide,
 * "CUDA Environment Variables".
 */
function firstVisible(
  gpus: readonly { readonly gpu: string; readonly uuid: string }[],
  visible: string | null,
): string | null {
  if (visible === null) return gpus[0]?.gpu ?? null;
  const first = visible.split(',')[0]?.trim() ?? '';
  // A part of a GPU, which nvidia-smi lists elsewhere.
  if (first.startsWith('MIG-')) return first;
  const index = /^\d+$/.test(first)
    ? Number(first)
    : gpus.findIndex(({ uuid }) => first !== '' && uuid.startsWith(first));
  return gpus[index]?.gpu ?? null;
}

/** What an operator can do about a device that is there and does not start. */
export function remedyOf(device: DeviceName): string {
  return remedies[device] ?? 'update the system and the driver of its GPU';
}

const ofCuda = `it needs driver ${leastDriver} or newer, cuda-libraries-13-0, libcudnn9-cuda-13 and scripts/install-cuda.sh`;
const vulkanDriver = "the GPU's Vulkan driver (mesa-vulkan-drivers or NVIDIA's)";
const remedies: Partial<Record<DeviceName, string>> = {
  cuda: ofCuda,
  tensorrt: `${ofCuda}, and libnvinfer10 and libnvonnxparsers10`,
  webgpu: `install ${vulkanDriver}`,
};

/** What to do about them; NVIDIA's packages for Debian and Ubuntu are called so. */
function toInstall(missing: readonly string[]): string {
  // The driver answers and its library is not here: a container that was given half of it.
  const ofDriver = missing.includes('libcuda.so.1')
    ? ['give the container the driver whole (NVIDIA_DRIVER_CAPABILITIES=compute,utility)']
    : [];
  const packages = [
    ...(missing.some((name) => /cudart|cublas|curand/.test(name)) ? ['cuda-libraries-13-0'] : []),
    ...(missing.some((name) => name.includes('cudnn')) ? ['libcudnn9-cuda-13'] : []),
    ...(missing.some((name) => name.includes('libnv')) ? ['libnvinfer10 libnvonnxparsers10'] : []),
  ];
  const ofOthers =
    packages.length > 0
      ? [`install ${packages.join(' and ')}, or name their folder in LD_LIBRARY_PATH`]
      : [];
  return [...ofDriver, ...ofOthers].join('; ');
}

async function checkVulkan(machine: Machine, { isNamed }: CheckOptions): Promise<DeviceFinding> {
  // Direct3D and Metal come with their systems.
  if (!machine.platform.startsWith('linux')) return { obstacle: null, found: '' };
  const hasGpu =
    machine.list('/dev/dri').some((name) => name.startsWith('render')) ||
    machine.exists('/dev/nvidia0') ||
    machine.exists('/dev/dxg');
  // A Vulkan that the CPU simulates takes seconds a frame.
  if (!hasGpu && !isNamed) return { obstacle: 'no GPU is here', found: '' };
  const loader = await findLibrary(machine, 'libvulkan.so.1');
  if (loader !== null) return { obstacle: null, found: 'Vulkan' };
  const wanted = `install libvulkan1 and ${vulkanDriver}`;
  return { obstacle: `libvulkan.so.1 not found: ${wanted}`, found: '' };
}
