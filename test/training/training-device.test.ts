import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createMachine } from '../../src/engines/index.js';
import { makeFolder } from '../make-folder.js';
import { follow, openTestTrainer } from './test-trainer.js';

/** Trainer processes of this test find a Vulkan that is listed, and is none. */
async function listVulkan(t: ExecutionContext): Promise<void> {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'libvulkan.so.1'), '');
  const before = { ...process.env };
  process.env['LD_LIBRARY_PATH'] = folder;
  process.env['VK_ICD_FILENAMES'] = join(folder, 'none.json');
  t.teardown(() => {
    for (const name of ['LD_LIBRARY_PATH', 'VK_ICD_FILENAMES']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });
}

const isLinux = createMachine().platform.startsWith('linux');
const onLinux = isLinux ? test.serial : test.serial.skip;

onLinux(
  'a run whose device does not start says why and what to install, before it loads a frame',
  async (t) => {
    await listVulkan(t);
    const { trainer, spec } = await openTestTrainer(t, { devices: ['webgpu'] });
    await trainer.start(spec, 'dark');
    const events = await follow(trainer, 'dark');
    t.deepEqual(
      events.map(({ kind }) => kind),
      ['ended'],
    );
    const { failure, device } = await trainer.get('dark');
    t.regex(failure, /^training cannot run on webgpu: onnxruntime did not start on it: .*adapter/i);
    t.regex(failure, /; install the GPU's Vulkan driver \(mesa-vulkan-drivers or NVIDIA's\)/);
    t.is(device, '');
  },
);

onLinux('a run goes on to the next device, and its start tells the reason', async (t) => {
  await listVulkan(t);
  const lines: object[] = [];
  const log = { info() {}, error() {}, warn: (fields: object) => void lines.push(fields) };
  const { trainer, spec } = await openTestTrainer(t, { devices: ['webgpu', 'cpu'], log });
  await trainer.start({ ...spec, epochs: 1 }, 'down');
  const events = await follow(trainer, 'down');
  const [started] = events;
  if (started?.kind !== 'started') return t.fail(`it began with ${started?.kind}`);
  const { device, deviceNote } = started;
  t.is(device, 'onnxruntime/cpu');
  t.regex(deviceNote, /^webgpu: onnxruntime did not start on it: /);
  t.like(events.at(-1), { kind: 'ended', state: 'finished' });
  t.like(await trainer.get('down'), { device, deviceNote });
  t.deepEqual(lines, [{ run: 'down', device, note: deviceNote }]);
});

test('an engine that would leave the device of trainings alone is refused', async (t) => {
  const { trainer, spec } = await openTestTrainer(t, { devices: ['webgpu'] });
  await t.throwsAsync(trainer.start({ ...spec, engine: 'tensorflow' }), {
    code: 'option_invalid',
    message: /^engine: tensorflow trains where its own package computes, .* got webgpu$/,
  });
  t.deepEqual(await trainer.list(), []);
});
