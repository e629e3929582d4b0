import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import { DomainError } from '../../src/errors.js';
import { writeSimulatedDataset } from '../../src/simulator/index.js';
import { makeFolder } from '../make-folder.js';

const options = { frameCount: 5, sizePx: 48, seed: 4 };

test('a dataset is csv and grey PNGs in the Kaggle layout', async (t) => {
  const folder = join(await makeFolder(t), 'new', 'cells');
  const progress: string[] = [];
  await writeSimulatedDataset(folder, options, (done, total) => progress.push(`${done}/${total}`));
  t.deepEqual(progress, ['1/5', '2/5', '3/5', '4/5', '5/5']);
  const lines = (await readFile(join(folder, 'train.csv'), 'utf8')).trimEnd().split('\n');
  t.is(lines[0], 'Id,Target');
  t.is(lines.length, 6);
  t.true(lines.slice(1).every((line) => /^sim_\d{6},\d{1,2}( \d{1,2})?$/.test(line)));
  const files = await readdir(join(folder, 'train'));
  t.is(files.length, 20);
  t.true(files.includes('sim_000003_yellow.png'));
  const { width, height, channels, depth, space } = await sharp(
    join(folder, 'train/sim_000003_yellow.png'),
  ).metadata();
  t.deepEqual([width, height, channels, depth, space], [48, 48, 1, 'uchar', 'b-w']);
});

test('the same options write the same bytes', async (t) => {
  const [one, other] = [await makeFolder(t), await makeFolder(t)];
  for (const folder of [one, other]) await writeSimulatedDataset(folder, options);
  for (const file of ['train.csv', 'train/sim_000000_red.png', 'train/sim_000004_green.png']) {
    t.deepEqual(await readFile(join(one, file)), await readFile(join(other, file)));
  }
});

test('a dataset that is already there is never mixed with another', async (t) => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'train.csv'), 'Id,Target\n');
  const error = await t.throwsAsync(writeSimulatedDataset(folder, options));
  t.is((error as DomainError).code, 'dataset_invalid');
  t.deepEqual(await readdir(folder), ['train.csv']);
});

test('a folder that cannot be made is a storage failure', async (t) => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'file'), '');
  const error = await t.throwsAsync(writeSimulatedDataset(join(folder, 'file/cells'), options), {
    instanceOf: DomainError,
  });
  t.is((error as DomainError).code, 'storage_failed');
});

test('an abort stops between frames, and leaves no dataset that looks whole', async (t) => {
  const folder = await makeFolder(t);
  const controller = new AbortController();
  const writing = writeSimulatedDataset(
    folder,
    options,
    (done) => {
      if (done === 2) controller.abort();
    },
    controller.signal,
  );
  const error = await t.throwsAsync(writing);
  t.is((error as DomainError).code, 'cancelled');
  t.is((await readdir(join(folder, 'train'))).length, 8);
  t.false((await readdir(folder)).includes('train.csv'));
});
