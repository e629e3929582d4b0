import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loadTensorflow } from '../../src/engines/tensorflow-runtime.js';
import { makeFolder } from '../make-folder.js';

/** A folder with a package that says of itself what the native ones do. */
async function writePackage(t: ExecutionContext, name: string, isUsingGpuDevice: boolean) {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
  await writeFile(
    join(folder, 'index.js'),
    `module.exports = {
      enableProdMode() {}, findBackend: () => ({}), ready: async () => {},
      backend: () => ({ isUsingGpuDevice: ${isUsingGpuDevice} }),
    };`,
  );
  return folder;
}

test('TensorFlow for GPUs that computes on the CPU says what its GPU would need', async (t) => {
  const gpu = '@tensorflow/tfjs-node-gpu';
  const without = await loadTensorflow({ packages: [await writePackage(t, gpu, false)] });
  t.is(without.device, 'cpu');
  t.is(without.steppedDown.length, 1);
  t.regex(without.steppedDown[0] ?? '', /no GPU that it can use.*CUDA 11\.2 and cuDNN 8\.1$/);
  const withGpu = await loadTensorflow({ packages: [await writePackage(t, gpu, true)] });
  t.deepEqual([withGpu.device, withGpu.steppedDown], ['gpu', []]);
  const plain = await writePackage(t, '@tensorflow/tfjs-node', false);
  const cpu = await loadTensorflow({ packages: [plain] });
  t.deepEqual([cpu.device, cpu.steppedDown], ['cpu', []], 'it is not meant for a GPU');
});
