import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { frameKeys, openDataset } from '../../src/dataset/index.js';
import { writeSimulatedDataset } from '../../src/simulator/index.js';
import { makeFolder } from '../make-folder.js';

const simulated = { frameCount: 6, sizePx: 64 };

test('frames are known where their folder has moved, and others of the same Ids are not', async (t) => {
  const folder = await makeFolder(t);
  const [here, there, other] = ['here', 'there', 'other'].map((name) => join(folder, name));
  if (!here || !there || !other) throw new Error('three folders');
  await writeSimulatedDataset(here, { ...simulated, seed: 1 });
  await cp(here, there, { recursive: true });
  await rm(here, { recursive: true });
  await writeSimulatedDataset(other, { ...simulated, seed: 2 });
  await cp(there, here, { recursive: true });
  const keysOf = async (path: string) => {
    const dataset = await openDataset(path);
    return frameKeys(dataset, dataset.frames);
  };
  const keys = await keysOf(here);
  t.is(new Set(keys).size, 6);
  t.true(keys.every((key) => /^[0-9a-f]{16}$/.test(key)));
  t.deepEqual(await keysOf(there), keys);
  t.deepEqual(
    (await keysOf(other)).filter((key) => keys.includes(key)),
    [],
  );
});

test('a plane that has gone is named', async (t) => {
  const path = join(await makeFolder(t), 'cells');
  await writeSimulatedDataset(path, { ...simulated, seed: 1, frameCount: 2 });
  const dataset = await openDataset(path);
  await rm(join(path, 'train', 'sim_000001_green.png'));
  await t.throwsAsync(frameKeys(dataset, dataset.frames), {
    code: 'dataset_invalid',
    message: 'cannot read train/sim_000001_green.png: ENOENT',
  });
});
