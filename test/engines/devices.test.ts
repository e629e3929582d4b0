import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  assertStarts,
  checkDevice,
  createMachine,
  createOnnxGraphRunner,
  deviceNames,
  type Machine,
} from '../../src/engines/index.js';
import { buildProbeModel, probeError, probePixels } from '../../src/engines/probe-model.js';
import { makeFolder } from '../make-folder.js';

const named = { isNamed: true };
const automatic = { isNamed: false };
const provider = '/runtime/libonnxruntime_providers_cuda.so';
const cuda13 = {
  'libcuda.so.1': '/usr/lib/libcuda.so.580.65.06',
  'libcudart.so.13': '/cuda/libcudart.so.13.0.96',
  'libcublas.so.13': '/cuda/libcublas.so.13.1.0.3',
  'libcublasLt.so.13': '/cuda/libcublasLt.so.13.1.0.3',
  'libcurand.so.10': '/cuda/libcurand.so.10.4.0.35',
  'libcudnn.so.9': '/usr/lib/libcudnn.so.9.13.0',
};

/** A machine as a test says it is. */
function machineOf({
  platform = 'linux-x64',
  driver = '',
  libraries = {},
  files = [],
  libraryFolders = [],
  visibleGpus = null,
}: {
  readonly platform?: string;
  readonly driver?: string;
  readonly libraries?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly libraryFolders?: readonly string[];
  readonly visibleGpus?: string | null;
}): Machine {
  return {
    platform,
    libraryFolders,
    visibleGpus,
    runtimeFolder: '/runtime',
    exists: (path) => files.includes(path),
    list: (folder) =>
      files
        .filter((file) => file.startsWith(`${folder}/`))
        .map((file) => file.slice(folder.length + 1)),
    realPath: async (path) => path,
    async run(program) {
      if (program === 'nvidia-smi') return driver === '' ? null : `${driver}\n`;
      if (program !== '/sbin/ldconfig') return null; // as for a user without it in the path
      const lines = Object.entries(libraries).map(
        ([name, path]) => `\t${name} (libc6,x86-64) => ${path}`,
      );
      return `${lines.length} libs found in cache\n${lines.join('\n')}\n`;
    },
  };
}

test('a whole CUDA 13 is taken, and its versions are told', async (t) => {
  const machine = machineOf({
    driver: '580.65.06, NVIDIA H200',
    libraries: cuda13,
    files: [provider],
  });
  t.deepEqual(await checkDevice('cuda', machine, automatic), {
    obstacle: null,
    found: 'NVIDIA H200, driver 580.65.06, CUDA 13.0.96, cuDNN 9.13.0',
  });
});

test('what is missing of CUDA is named, with the versions there are and what to install', async (t) => {
  const h200 = '580.65.06, NVIDIA H200';
  const obstacleOf = async (given: Parameters<typeof machineOf>[0], device = 'cuda' as const) =>
    (await checkDevice(device, machineOf(given), named)).obstacle ?? '';
  t.is(
    await obstacleOf({}),
    "no NVIDIA GPU answers: install NVIDIA's driver, version 580 or newer",
  );
  t.is(
    await obstacleOf({ driver: h200, libraries: cuda13 }),
    "the runtime's CUDA libraries are missing: run scripts/install-cuda.sh (NVIDIA H200, driver 580.65.06, CUDA 13.0.96, cuDNN 9.13.0)",
  );
  const { 'libcudnn.so.9': _, ...withoutCudnn } = cuda13;
  t.is(
    await obstacleOf({ driver: h200, libraries: withoutCudnn, files: [provider] }),
    'libcudnn.so.9 not found: install libcudnn9-cuda-13, or name their folder in LD_LIBRARY_PATH (NVIDIA H200, driver 580.65.06, CUDA 13.0.96, cuDNN not found)',
  );
  const old = await obstacleOf({
    driver: '550.54.15, NVIDIA A100',
    libraries: {
      'libcuda.so.1': '/usr/lib/libcuda.so.550.54.15',
      'libcudart.so.12': '/cuda/libcudart.so.12.4.127',
    },
  });
  t.regex(old, /^CUDA 13 needs driver 580 or newer; .*install-cuda\.sh; libcudart\.so\.13, /);
  t.regex(old, /install cuda-libraries-13-0 and libcudnn9-cuda-13/);
  t.regex(old, /\(NVIDIA A100, driver 550\.54\.15, CUDA not found, cuDNN not found\)$/);
  const tensorrt = await checkDevice(
    'tensorrt',
    machineOf({ driver: h200, libraries: cuda13, files: [provider] }),
    named,
  );
  t.regex(tensorrt.obstacle ?? '', /libnvinfer\.so\.10, .* install libnvinfer10/);
});

test("a container without the driver's library is told what to ask for", async (t) => {
  const { 'libcuda.so.1': _, ...libraries } = cuda13;
  const given = { driver: '580.65.06, NVIDIA H200', files: [provider], libraries };
  t.is(
    (await checkDevice('cuda', machineOf(given), named)).obstacle,
    'libcuda.so.1 not found: give the container the driver whole (NVIDIA_DRIVER_CAPABILITIES=compute,utility) (NVIDIA H200, driver 580.65.06, CUDA 13.0.96, cuDNN 9.13.0)',
  );
});

test('versions are read from the files that the links of a library folder lead to', async (t) => {
  const folder = await makeFolder(t);
  const files = {
    ...{ 'libcuda.so.1': 'libcuda.so.580.65.06', 'libcudart.so.13': 'libcudart.so.13.0.96' },
    ...{ 'libcublas.so.13': 'libcublas.so.13.1', 'libcublasLt.so.13': 'libcublasLt.so.13.1' },
    'libcurand.so.10': 'libcurand.so.10.4',
  };
  for (const [link, file] of Object.entries(files)) {
    await writeFile(join(folder, file), '');
    await symlink(file, join(folder, link));
  }
  await writeFile(join(folder, 'libonnxruntime_providers_cuda.so'), '');
  const machine: Machine = {
    ...createMachine(),
    platform: 'linux-x64',
    libraryFolders: [folder],
    visibleGpus: null,
    runtimeFolder: folder,
    run: async (program) => (program === 'nvidia-smi' ? '580.65.06, NVIDIA H200\n' : null),
  };
  t.is(
    (await checkDevice('cuda', machine, named)).obstacle,
    'libcudnn.so.9 not found: install libcudnn9-cuda-13, or name their folder in LD_LIBRARY_PATH (NVIDIA H200, driver 580.65.06, CUDA 13.0.96, cuDNN not found)',
  );
  await writeFile(join(folder, 'libcudnn.so.9.13.0'), '');
  await symlink('libcudnn.so.9.13.0', join(folder, 'libcudnn.so.9'));
  t.deepEqual(await checkDevice('cuda', machine, named), {
    obstacle: null,
    found: 'NVIDIA H200, driver 580.65.06, CUDA 13.0.96, cuDNN 9.13.0',
  });
});

test('a folder of LD_LIBRARY_PATH comes before what the loader knows', async (t) => {
  const folder = '/opt/cudnn';
  const machine = machineOf({
    driver: '580.65.06, NVIDIA H200',
    libraries: cuda13,
    files: [provider, `${folder}/libcudnn.so.9`],
    libraryFolders: [folder],
  });
  const { found } = await checkDevice('cuda', machine, named);
  t.regex(found, /cuDNN 9$/, 'the file of that folder, whose name tells no more');
});

test('the GPU that is told is the one that CUDA may see', async (t) => {
  const driver = [
    '580.65.06, NVIDIA A2, GPU-aaaa-1',
    '580.65.06, NVIDIA H200, GPU-bbbb-2',
    '580.65.06, NVIDIA A2, GPU-cccc-3',
  ].join('\n');
  const given = { driver, libraries: cuda13, files: [provider] };
  const seen = async (visibleGpus: string | null) =>
    checkDevice('cuda', machineOf({ ...given, visibleGpus }), named);
  for (const [visible, gpu] of [
    [null, 'NVIDIA A2'],
    ['1', 'NVIDIA H200'],
    ['1,0', 'NVIDIA H200'],
    ['GPU-bbbb', 'NVIDIA H200'],
    ['MIG-1f2e', 'MIG-1f2e'],
  ] as const) {
    const { obstacle, found } = await seen(visible);
    t.is(obstacle, null);
    t.is(found, `${gpu}, driver 580.65.06, CUDA 13.0.96, cuDNN 9.13.0`);
  }
  for (const visible of ['', '-1', '3', 'GPU-dddd', 'all']) {
    t.is(
      (await seen(visible)).obstacle,
      `CUDA_VISIBLE_DEVICES="${visible}" hides every GPU: name one of 3, or unset it`,
    );
  }
});

test('a device whose check passes and that does not start says why and what to install', async (t) => {
  const listed: Machine = {
    ...machineOf({ libraries: { 'libvulkan.so.1': '/usr/lib/libvulkan.so.1.3.239' } }),
    runtimeFolder: '/runtime',
  };
  if (process.env['VK_ICD_FILENAMES'] !== undefined || createMachine().exists('/dev/dri')) {
    t.log('SKIPPED: this machine has a Vulkan');
    t.pass();
    return;
  }
  await assertStarts('cpu', listed);
  await t.throwsAsync(assertStarts('webgpu', listed), {
    code: 'unsupported',
    message:
      /^onnxruntime did not start on it: .*adapter.*; install the GPU's Vulkan driver .* \(Vulkan\)$/i,
  });
});

test('auto wants a GPU for WebGPU; who names it may have a simulated one', async (t) => {
  const vulkan = { 'libvulkan.so.1': '/usr/lib/libvulkan.so.1.3.239' };
  const files = ['/dev/dri/card0', '/dev/dri/renderD128'];
  const obstacleOf = async (machine: Machine, options: { readonly isNamed: boolean }) =>
    (await checkDevice('webgpu', machine, options)).obstacle;
  t.is(await obstacleOf(machineOf({ libraries: vulkan }), automatic), 'no GPU is here');
  t.is(await obstacleOf(machineOf({ libraries: vulkan }), named), null);
  t.is(await obstacleOf(machineOf({ libraries: vulkan, files }), automatic), null);
  t.regex(
    (await obstacleOf(machineOf({ files }), automatic)) ?? '',
    /^libvulkan\.so\.1 not found: install libvulkan1 and the GPU's Vulkan driver/,
  );
  t.is(await obstacleOf(machineOf({ platform: 'darwin-arm64' }), automatic), null);
});

test('a device of another system says where it runs; the CPU is everywhere', async (t) => {
  const arm = machineOf({ platform: 'linux-arm64' });
  t.is(
    (await checkDevice('cuda', arm, automatic)).obstacle,
    'it runs on linux-x64, this is linux-arm64',
  );
  t.regex((await checkDevice('directml', arm, named)).obstacle ?? '', /^it runs on win32-x64, /);
  t.regex((await checkDevice('coreml', arm, named)).obstacle ?? '', /^it runs on darwin-arm64, /);
  t.is((await checkDevice('cpu', arm, named)).obstacle, null);
});

test('the check answers for every device on this machine', async (t) => {
  for (const name of deviceNames) {
    const { obstacle } = await checkDevice(name, createMachine(), named);
    if (name === 'cpu') t.is(obstacle, null);
    else t.true(obstacle === null || obstacle.length > 10, name);
  }
});

test('the probe tells a device that computes from one that does not', async (t) => {
  const runner = await createOnnxGraphRunner(buildProbeModel(), { threads: 1 });
  const { probabilities } = await runner.run({
    pixels: { type: 'uint8', shape: [1, 8], values: probePixels },
  });
  await runner.close();
  t.true(probeError(probabilities?.values as Float32Array) < 1e-6);
  t.true(probeError(new Float32Array(8)) > 0.4);
  t.is(probeError(new Float32Array(0)), Number.POSITIVE_INFINITY);
});
