import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import { exploreDataset, openForExploring, readLabels, summarise } from '../../src/eda/index.js';
import { chooseFrames } from '../../src/eda/summary.js';
import { DomainError } from '../../src/errors.js';
import { hpaLabels } from '../../src/label-set.js';
import { simulateCells, writeSimulatedDataset } from '../../src/simulator/index.js';
import { makeFolder } from '../make-folder.js';
import { sharedData } from '../shared-data.js';

const three = {
  labels: ['a', 'b', 'c'],
  frames: [
    { id: 'f0', labelIndices: [0, 1] },
    { id: 'f1', labelIndices: [1] },
    { id: 'f2', labelIndices: [1, 0, 1] },
    { id: 'f3', labelIndices: [] },
  ],
};

test('labels are counted alone, together and by frame', (t) => {
  const summary = summarise(three);
  t.is(summary.frameCount, 4);
  t.is(summary.labelCount, 5);
  t.is(summary.meanLabelsPerFrame, 1.25);
  t.deepEqual(
    summary.labels.map(({ frames, share }) => [frames, share]),
    [
      [2, 0.5],
      [3, 0.75],
      [0, 0],
    ],
  );
  t.deepEqual(summary.labelsPerFrame, [
    { labels: 0, frames: 1 },
    { labels: 1, frames: 1 },
    { labels: 2, frames: 2 },
  ]);
  t.deepEqual(summary.coOccurrence, [
    [2, 2, 0],
    [2, 3, 0],
    [0, 0, 0],
  ]);
  t.deepEqual(summary.commonSets[0], { labels: [0, 1], frames: 2 });
  t.is(summary.alwaysNoAccuracy, 1 - 5 / 12);
});

test('the frames that are shown hold every label, rare ones too', (t) => {
  const frames = Array.from({ length: 500 }, (_, at) => ({
    id: `f${at}`,
    labelIndices: at === 499 ? [2] : [at === 250 ? 1 : 0],
  }));
  const chosen = chooseFrames({ labels: three.labels, frames }, 10);
  t.is(chosen.length, 10);
  const shown = chosen.map(({ id }) => id);
  t.true(shown.includes('f499') && shown.includes('f250'));
  t.deepEqual(chosen, chooseFrames({ labels: three.labels, frames }, 10));
  t.is(chooseFrames(three, 10).length, 4);
});

test('a simulated dataset is counted and shown', async (t) => {
  const dir = await makeFolder(t);
  await writeSimulatedDataset(join(dir, 'cells'), { frameCount: 9, sizePx: 64, seed: 5 });
  const dataset = await openForExploring(join(dir, 'cells'));
  const progress: (readonly number[])[] = [];
  const out = join(dir, 'eda');
  const summary = await exploreDataset(dataset, out, {
    onProgress: (done, total) => progress.push([done, total]),
  });
  t.is(summary.shown.length, 9);
  t.deepEqual(summary.unreadable, []);
  t.deepEqual(progress.at(-1), [9, 9]);
  t.deepEqual((await readdir(out)).sort(), [...summary.files].sort());
  t.deepEqual(JSON.parse(await readFile(join(out, 'eda.json'), 'utf8')), summary);
  const html = await readFile(join(out, 'index.html'), 'utf8');
  t.is(html.split('<svg').length - 1, 4);
  t.is(html.split('src="data:image/png;base64,').length - 1, 1);
  t.is((await sharp(join(out, 'frames.png')).metadata()).format, 'png');
});

test('labels without frames are counted and nothing is shown', async (t) => {
  const out = await makeFolder(t);
  const summary = await exploreDataset(three, out);
  t.deepEqual(summary.shown, []);
  t.false(summary.files.includes('frames.png'));
});

test('a frame that cannot be shown is named, the others are shown', async (t) => {
  const out = await makeFolder(t);
  const summary = await exploreDataset(three, out, {
    readFrame: async ({ id }) => {
      if (id === 'f1') throw new DomainError('frame_invalid', 'expected 4 planes, got 3');
      return simulateCells({ seed: 1, labels: [0], sizePx: 32 });
    },
  });
  t.deepEqual(summary.unreadable, [{ id: 'f1', message: 'expected 4 planes, got 3' }]);
  t.deepEqual(summary.shown, ['f0', 'f2', 'f3']);
  const html = await readFile(join(out, 'index.html'), 'utf8');
  t.true(html.includes('f1 (expected 4 planes, got 3)'));
});

test('a dataset none of whose frames can be shown is refused, and nothing is written', async (t) => {
  const out = await makeFolder(t);
  const refuse = async () => {
    throw new DomainError('frame_invalid', 'expected 4 planes, got 3');
  };
  await t.throwsAsync(() => exploreDataset(three, out, { readFrame: refuse }), {
    code: 'dataset_invalid',
    message: 'none of 4 frames can be shown; the first: expected 4 planes, got 3',
  });
  t.deepEqual(await readdir(out), []);
  await t.throwsAsync(() => exploreDataset({ ...three, frames: [] }, out, { readFrame: null }), {
    code: 'dataset_invalid',
  });
});

test('an abort ends it with cancelled', async (t) => {
  const signal = AbortSignal.abort();
  const readFrame = async () => t.fail() as never;
  await t.throwsAsync(
    async () => exploreDataset(three, await makeFolder(t), { readFrame, signal }),
    {
      code: 'cancelled',
    },
  );
});

test('every fault of a file of labels is told with its line', async (t) => {
  const path = join(await makeFolder(t), 'train.csv');
  await writeFile(path, 'Id,Target\na,28\na,0 x\n,3\n');
  await t.throwsAsync(() => readLabels(path), {
    code: 'dataset_invalid',
    message: [
      'train.csv: line 2 has label "28", expected a whole number from 0 to 27',
      'line 3 repeats the Id "a"',
      'line 3 has label "x", expected a whole number from 0 to 27',
      'line 4 has no Id',
    ].join('; '),
  });
  await writeFile(path, 'Id,Labels\na,1\n');
  await t.throwsAsync(() => readLabels(path), {
    message: 'train.csv: expected the columns "Id" and "Target", got "Id,Labels"',
  });
  await t.throwsAsync(() => readLabels(`${path}.absent`), { message: /there is no such file/ });
});

test('labels whose frames are elsewhere are explored by naming their file', async (t) => {
  const dir = await makeFolder(t);
  const path = join(dir, 'train.csv');
  await writeFile(path, 'Id,Target\na,0 1\nb,1\n');
  const summary = await exploreDataset(await openForExploring(path), join(dir, 'eda'));
  t.is(summary.labelCount, 3);
  await t.throwsAsync(() => openForExploring(dir), {
    code: 'dataset_invalid',
    message: /name train.csv itself to explore its labels alone/,
  });
  await t.throwsAsync(() => openForExploring(join(dir, 'absent')), { code: 'dataset_invalid' });
});

test('the labels of the competition of 2018 are counted', async (t) => {
  if (sharedData === null) {
    t.log('SKIPPED: no shared data');
    t.pass();
    return;
  }
  const summary = summarise(await readLabels(join(sharedData, 'labels/train.csv')));
  t.is(summary.frameCount, 31_072);
  t.is(summary.labelCount, 50_782);
  t.is(summary.labels[0]?.frames, 12_885);
  t.is(summary.labels[27]?.frames, 11);
  t.is(summary.labels.length, hpaLabels.length);
});

test('real fields are shown with their labels', async (t) => {
  if (sharedData === null) {
    t.log('SKIPPED: no shared data');
    t.pass();
    return;
  }
  const dataset = await openForExploring(join(sharedData, 'hpa-fields'));
  const summary = await exploreDataset(dataset, await makeFolder(t), { shownFrames: 12 });
  t.is(summary.frameCount, 282);
  t.is(summary.shown.length, 12);
  t.deepEqual(summary.unreadable, []);
});
