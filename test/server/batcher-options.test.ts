import test from 'ava';
import { parseConfig } from '../../src/config.js';
import { devices } from '../../src/engines/devices.js';
import { createOnnxEngine } from '../../src/engines/index.js';
import { batcherOptions } from '../../src/server/batcher-options.js';

test('batches are as large as suits the device, unless a setting says how large', async (t) => {
  const sizesFor = (given: object, engine: { readonly batchSizes?: readonly number[] }) => {
    const parsed = parseConfig(given, {});
    if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
    return batcherOptions(parsed.value, engine).batcher.batchSizes;
  };
  const usual = [1, 2, 4, 8, 16, 32];
  t.deepEqual(sizesFor({}, {}), usual, 'another server, which batches itself');
  const engine = await createOnnxEngine({ device: 'cpu', threads: 1 });
  t.teardown(() => engine.close());
  t.deepEqual(sizesFor({}, engine), usual);
  for (const device of ['cuda', 'tensorrt'] as const) {
    t.deepEqual(sizesFor({}, devices[device]), [...usual, 64, 128, 256]);
    t.deepEqual(sizesFor({ batchSizes: '1,8' }, devices[device]), [1, 8]);
  }
});
