import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { packageRoot } from '../../src/package-root.js';
import { makeFolder } from '../make-folder.js';

const run = promisify(execFile);
/** Where Debian's chromium keeps SwiftShader, a Vulkan that the CPU computes. */
const chromium = '/usr/lib/chromium';
const driver = join(chromium, 'vk_swiftshader_icd.json');

test('on WebGPU the network answers and learns as on the CPU', async (t) => {
  if (!existsSync(driver)) {
    const line = `SKIPPED "${t.title}": ${driver} is needed; Debian's package chromium-common has it`;
    console.warn(line);
    t.log(line);
    t.pass();
    return;
  }
  t.timeout(300_000);
  const folder = await makeFolder(t);
  const script = join(packageRoot, 'dist/test/engines/device-process.js');
  const env = {
    ...process.env,
    VK_ICD_FILENAMES: driver,
    LD_LIBRARY_PATH: chromium,
    XDG_RUNTIME_DIR: folder,
  };
  const { stdout } = await run(process.execPath, [script, 'webgpu'], { env });
  const seen = JSON.parse(stdout) as {
    readonly device: string;
    readonly half: string;
    readonly probabilities: number;
    readonly distance: number;
    readonly spread: number;
    readonly resized: {
      readonly devices: readonly string[];
      readonly levels: number;
      readonly distance: number;
    };
    readonly step: Readonly<Record<string, number>>;
    readonly place: string;
  };
  t.is(seen.device, 'onnxruntime/webgpu', 'nothing of it on the CPU');
  t.is(seen.probabilities, 4 * 28);
  t.true(seen.spread > 0.01, 'answers that differ, or this test could not fail');
  // Float32 in another order; 1e-7 was seen.
  t.true(seen.distance < 1e-5, `probabilities differ by ${seen.distance}`);
  t.deepEqual(seen.resized.devices, ['onnxruntime/webgpu'], 'raw planes are resized there whole');
  t.is(seen.resized.distance, 0, 'to the same bytes');
  t.true(seen.resized.levels > 8);
  // A version would be served in full then, with this as the reason.
  t.regex(seen.half, /^the runtime .* requires f16 but the device does not support it/i);
  // It has no int64, which steps are counted in; the validation runs there whole.
  t.is(seen.place, 'onnxruntime/webgpu+cpu: a step: parts of it run on cpu');
  const names = Object.keys(seen.step);
  t.true(names.includes('loss') && names.some((name) => name.startsWith('gradient/')));
  for (const [name, distance] of Object.entries(seen.step)) {
    t.true(distance < 1e-5, `${name} differs by ${distance}`);
  }
});
