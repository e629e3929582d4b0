import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test from 'ava';
import { openDataset, openTestFolder, readFrame } from '../../src/dataset/index.js';
import { hpaChannels } from '../../src/frames/index.js';
import { makeFolder } from '../make-folder.js';
import { sharedData } from '../shared-data.js';
import { writeDataset } from './dataset-folder.js';

const invalid = { name: 'DomainError', code: 'dataset_invalid' } as const;

test('a folder in the Kaggle layout opens with ids and labels', async (t) => {
  const folder = await writeDataset(t, '\ufeffId,Target\r\na,0 27 0\r\nb,\r\n', ['a', 'b']);
  const dataset = await openDataset(folder);
  t.deepEqual(dataset.frames, [
    { id: 'a', labelIndices: [0, 27], group: null },
    { id: 'b', labelIndices: [], group: null },
  ]);
  t.is(dataset.labels.length, 28);
  t.true(dataset.hasLabels);
});

test('all faults of a dataset are told at once', async (t) => {
  const csv = 'Id,Target\na,28\nb,1 x\nb,1\n,1\nc,2\n../d,1\n';
  const folder = await writeDataset(t, csv, ['a', 'b', 'c']);
  await rm(join(folder, 'train', 'c_yellow.png'));
  const { message } = await t.throwsAsync(openDataset(folder), invalid);
  t.deepEqual(message.split('; '), [
    'train.csv line 4 repeats the Id "b" of line 3',
    'train.csv line 5 has no Id',
    'train.csv line 7: Id "../d" is no file name',
    'train.csv line 2 (a) has label "28", expected 0 to 27',
    'train.csv line 3 (b) has label "x", expected 0 to 27',
    'train/c_yellow.png is missing',
  ]);
});

test('of many faults the first are named and the rest counted', async (t) => {
  const ids = Array.from({ length: 40 }, (_, index) => `frame${index}`);
  const folder = await writeDataset(t, `Id,Target\n${ids.map((id) => `${id},0`).join('\n')}\n`, []);
  const { message } = await t.throwsAsync(openDataset(folder), invalid);
  t.true(message.startsWith('train/frame0_red.png is missing; '));
  const named = message.split('; ').length - 1;
  t.true(message.endsWith(`; ... and ${160 - named} more`), message);
});

test('an empty csv, one without rows and one without a column are told apart', async (t) => {
  const fault = async (csv: string) =>
    (await t.throwsAsync(openDataset(await writeDataset(t, csv, [])), invalid)).message;
  t.is(await fault(''), 'train.csv is empty, expected a header with Id');
  t.is(await fault('Id,Target\n'), 'train.csv has no rows');
  t.is(
    await fault('Id,Label\na,0\n').then((text) => text.split('; ')[0]),
    'train.csv has no column Target, only Id, Label',
  );
  t.is(await fault('name,Target\na,0\n'), 'train.csv has no column Id, only name, Target');
  t.regex(await fault('Id,Target\na,"0\n'), /^train\.csv is not a csv: /);
});

test('a folder that is not there is named without its place on the machine', async (t) => {
  const folder = join(await makeFolder(t), 'nowhere');
  const { message } = await t.throwsAsync(openDataset(folder), invalid);
  t.is(message, 'expected a folder with train.csv, there is no folder "nowhere"');
  t.false(message.includes(basename(join(folder, '..'))));
});

test('a folder that has no csv is told as one', async (t) => {
  const folder = await makeFolder(t);
  const { message } = await t.throwsAsync(openDataset(folder), invalid);
  t.is(message, `expected train.csv in "${basename(folder)}": there is none`);
});

test('a csv without a folder of planes is told', async (t) => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'train.csv'), 'Id,Target\na,0\n');
  await t.throwsAsync(openDataset(folder), {
    ...invalid,
    message: 'expected a folder train/ with the planes, there is none',
  });
});

test('without wanted labels a csv of ids alone will do', async (t) => {
  const folder = await writeDataset(t, 'Id\na\n', ['a']);
  const dataset = await openDataset(folder, { wantLabels: false });
  t.false(dataset.hasLabels);
  t.deepEqual(dataset.frames[0]?.labelIndices, []);
});

test('a suffix of up to four digits or a group column tells the field', async (t) => {
  const ids = ['field-7', 'x-1-1234', 'x-12345', '00070df0-bbc3-11e8-b2bc-ac1f6b6435d0'];
  const rows = ids.map((id) => `${id},0`).join('\n');
  const bySuffix = await openDataset(await writeDataset(t, `Id,Target\n${rows}\n`, ids));
  t.deepEqual(
    bySuffix.frames.map(({ group }) => group),
    ['field', 'x-1', null, null],
  );
  const grouped = 'Id,Target,Group\nfield-7,0,well A\nb,0,\n';
  const byColumn = await openDataset(await writeDataset(t, grouped, ['field-7', 'b']));
  t.deepEqual(
    byColumn.frames.map(({ group }) => group),
    ['well A', null],
  );
});

test('a frame is read as encoded planes by role, in the order asked for', async (t) => {
  const folder = await writeDataset(t, 'Id,Target\na,0\n', ['a']);
  const dataset = await openDataset(folder, { channels: [hpaChannels[3], hpaChannels[0]] });
  const frame = await readFrame(dataset, dataset.frames[0]!);
  t.is(frame.encoding, 'png');
  t.deepEqual(
    frame.planes.map(({ channel, bytes }) => [channel, Buffer.from(bytes).toString()]),
    [
      ['endoplasmic_reticulum', 'a yellow'],
      ['microtubules', 'a red'],
    ],
  );
  await rm(join(folder, 'train', 'a_red.png'));
  await t.throwsAsync(readFrame(dataset, dataset.frames[0]!), {
    ...invalid,
    message: 'cannot read train/a_red.png: ENOENT',
  });
});

test('a test folder opens by its sample submission', async (t) => {
  const folder = await makeFolder(t);
  await mkdir(join(folder, 'test'));
  await writeFile(join(folder, 'sample_submission.csv'), 'Id,Predicted\nb,0\na,0\n');
  for (const id of ['a', 'b']) {
    for (const colour of ['red', 'green', 'blue', 'yellow']) {
      await writeFile(join(folder, 'test', `${id}_${colour}.png`), id);
    }
  }
  const opened = await openTestFolder(folder);
  t.deepEqual(
    opened.frames.map(({ id }) => id),
    ['b', 'a'],
  );
  const frame = await readFrame(opened, opened.frames[0]!);
  t.is(Buffer.from(frame.planes[0]!.bytes).toString(), 'b');
  await rm(join(folder, 'test', 'a_blue.png'));
  await t.throwsAsync(openTestFolder(folder), {
    ...invalid,
    message: 'test/a_blue.png is missing',
  });
});

test('real frames open, and a dictionary without yellow planes says which are missing', async (t) => {
  if (sharedData === null) {
    t.log('SKIPPED: no real frames here');
    t.pass();
    return;
  }
  const cells = await openDataset(join(sharedData, 'hpa-cells'));
  t.is(cells.frames.length, 2474);
  t.true(cells.frames.every(({ group }) => group !== null));
  const { message } = await t.throwsAsync(openDataset(join(sharedData, 'hpa-dictionary')), invalid);
  t.regex(message, /^train\/dict-00-1_yellow\.png is missing; .*; \.\.\. and \d+ more$/);
});
