import test from 'ava';
import { parseConfig } from '../../src/config.js';
import { createFakeEngine, createMachine, type Engine } from '../../src/engines/index.js';
import { type Log, silentLog } from '../../src/log.js';
import {
  findTrainingDevices,
  openEngine,
  openOnnxRuntime,
  poolOf,
  shareCores,
} from '../../src/server/open-engine.js';

const settings = { precision: 'auto', engineWorkers: 1, engineThreads: 1 } as const;
/** This machine, if it had neither a GPU nor a Vulkan. */
const bare = { ...createMachine(), exists: () => false, list: () => [], run: async () => null };

test('auto steps down to the CPU and says why in one line', async (t) => {
  const lines: object[] = [];
  const log = { ...silentLog, info: (fields: object) => lines.push(fields) } as Log;
  const engine = await openOnnxRuntime({ ...settings, device: 'auto' }, log, bare);
  t.teardown(() => engine.close());
  t.is(lines.length, 1);
  t.like(lines[0], { device: 'cpu', precision: 'full', resize: 'host', workers: 1, threads: 1 });
  const { steppedDown } = lines[0] as { steppedDown: string };
  t.regex(steppedDown, /^cuda: [^;]+; webgpu: no GPU is here$/);
});

test('where raw planes are resized is a setting, and told as the engine starts', async (t) => {
  const lines: object[] = [];
  const log = { ...silentLog, info: (fields: object) => lines.push(fields) } as Log;
  const chosen = { ...settings, engineWorkers: 2, device: 'cpu', resize: 'graph' } as const;
  const engine = await openOnnxRuntime(chosen, log, bare);
  t.teardown(() => engine.close());
  t.is(engine.resize, 'graph', 'all workers of it');
  t.like(lines[0], { device: 'cpu', resize: 'graph', workers: 2 });
});

test('a device that is named and not there is an error that says what to install', async (t) => {
  for (const [device, message] of [
    ['cuda', /^no device can be used: cuda: no NVIDIA GPU answers: install NVIDIA's driver/],
    ['webgpu', /^no device can be used: webgpu: libvulkan\.so\.1 not found: install libvulkan1 /],
    ['directml', /^no device can be used: directml: it runs on win32-x64, /],
  ] as const) {
    const linux = { ...bare, platform: 'linux-x64' };
    await t.throwsAsync(openOnnxRuntime({ ...settings, device }, silentLog, linux), {
      code: 'unsupported',
      message,
    });
  }
});

test('a device for training that is not there is an error too', async (t) => {
  const linux = { ...bare, platform: 'linux-x64' };
  await t.throwsAsync(findTrainingDevices('cuda', silentLog, linux), {
    code: 'unsupported',
    message: /^training cannot run on cuda: no NVIDIA GPU answers: install NVIDIA's driver/,
  });
});

test('where trainings run is told at the start, and why not elsewhere', async (t) => {
  const lines: object[] = [];
  const log = { ...silentLog, info: (fields: object) => lines.push(fields) } as Log;
  const linux = { ...bare, platform: 'linux-x64' };
  t.deepEqual(await findTrainingDevices('cpu', log, linux), ['cpu']);
  t.deepEqual(await findTrainingDevices('auto', log, linux), ['cpu']);
  const h200 = {
    ...linux,
    exists: () => true,
    libraryFolders: ['/cuda'],
    realPath: async (path: string) => `${path}.0`,
    run: async (program: string) =>
      program === 'nvidia-smi' ? '580.65.06, NVIDIA H200, GPU-1\n' : null,
  };
  t.deepEqual(await findTrainingDevices('cuda', log, h200), ['cuda']);
  // A GPU that does not start is stepped down from by the run.
  t.deepEqual(await findTrainingDevices('auto', log, h200), ['cuda', 'cpu']);
  const found = 'NVIDIA H200, driver 580.65.06, CUDA 13.0, cuDNN 9.0';
  const steppedDown = "cuda: no NVIDIA GPU answers: install NVIDIA's driver, version 580 or newer";
  t.deepEqual(lines, [
    { device: 'cpu' },
    { device: 'cpu', steppedDown },
    { device: 'cuda', found },
    { device: 'cuda', found },
  ]);
});

test('where one of several workers does not start, those that did are closed', async (t) => {
  let started = 0;
  let closed = 0;
  const start = async (): Promise<Engine> => {
    started += 1;
    const number = started;
    // The third fails while the fourth is still on its way.
    if (number === 3) throw new Error('no memory for the third');
    if (number === 4) await new Promise(setImmediate);
    const engine = createFakeEngine();
    return {
      ...engine,
      async close() {
        closed += 1;
        await engine.close();
      },
    };
  };
  await t.throwsAsync(poolOf(4, start), { message: 'no memory for the third' });
  t.deepEqual({ started, closed }, { started: 4, closed: 3 });
});

test('a device whose check passes and that does not start is stepped down from as well', async (t) => {
  // A Vulkan that is listed, and then is none: the runtime itself has to say so.
  const folder = new URL('.', import.meta.url).pathname;
  const listed = {
    ...bare,
    platform: 'linux-x64',
    list: () => ['renderD128'],
    exists: (path: string) => path.endsWith('libvulkan.so.1'),
    libraryFolders: [folder],
    realPath: async (path: string) => path,
  };
  if (
    process.env['VK_ICD_FILENAMES'] !== undefined ||
    createMachine().list('/dev/dri').length > 0
  ) {
    t.log('SKIPPED: this machine has a Vulkan');
    t.pass();
    return;
  }
  const lines: object[] = [];
  const log = { ...silentLog, info: (fields: object) => lines.push(fields) } as Log;
  const engine = await openOnnxRuntime({ ...settings, device: 'auto' }, log, listed);
  t.teardown(() => engine.close());
  const { device, steppedDown } = lines.at(-1) as { device: string; steppedDown: string };
  t.is(device, 'cpu');
  t.regex(steppedDown, /webgpu: onnxruntime did not start on webgpu: .*adapter/i);
  t.regex(steppedDown, /, install the GPU's Vulkan driver/);
});

test('the cores are shared between the workers, unless a setting says how', (t) => {
  t.deepEqual(shareCores(1, 0, 0), { workers: 1, threads: 1 });
  t.deepEqual(shareCores(2, 0, 0), { workers: 2, threads: 1 });
  t.deepEqual(shareCores(16, 0, 0), { workers: 4, threads: 4 });
  t.deepEqual(shareCores(8, 3, 0), { workers: 3, threads: 2 });
  t.deepEqual(shareCores(2, 8, 0), { workers: 8, threads: 1 });
  t.deepEqual(shareCores(8, 0, 1), { workers: 4, threads: 1 });
  t.deepEqual(shareCores(2, 1, 2), { workers: 1, threads: 2 });
});

test('engine tensorflow takes the package that is named, or says what is missing', async (t) => {
  const open = (tensorflowPackage: string) => {
    const parsed = parseConfig({ engine: 'tensorflow', tensorflowPackage }, {});
    if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
    return openEngine(parsed.value, silentLog);
  };
  const engine = await open('@tensorflow/tfjs');
  t.teardown(() => engine.close());
  t.is(engine.name, 'tensorflow');
  await t.throwsAsync(open('@tensorflow/tfjs-none'), {
    code: 'unsupported',
    message: /^tensorflow did not start: tensorflow is not there .*not installed.*install it with/,
  });
});
