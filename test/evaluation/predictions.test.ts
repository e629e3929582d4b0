import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  readPredictions,
  scoreFile,
  toRows,
  writePredictions,
  writeSubmission,
} from '../../src/evaluation/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { makeFolder } from '../make-folder.js';

test('predictions come back as they were written, to the last bit of a float32', async (t) => {
  const path = join(await makeFolder(t), 'predictions.csv');
  const rows = [
    { id: 'a,"1"', labelIndices: [0, 2], probabilities: Float32Array.of(0.1, 1e-9, 0.999_999_9) },
    { id: 'b', labelIndices: [], probabilities: Float32Array.of(0, 1, 1 / 3) },
  ];
  await writePredictions(path, rows);
  const read = toRows(await readPredictions(path));
  t.deepEqual(
    read.map(({ id, labelIndices }) => ({ id, labelIndices })),
    rows.map(({ id, labelIndices }) => ({ id, labelIndices })),
  );
  for (const [at, { probabilities }] of rows.entries()) {
    t.deepEqual(Float32Array.from(read[at]?.probabilities ?? []), probabilities);
  }
});

test('predictions of frames whose labels nobody knows have no Target', async (t) => {
  const path = join(await makeFolder(t), 'predictions.csv');
  await writePredictions(path, [
    { id: 'a', labelIndices: null, probabilities: Float32Array.of(0.5, 0.25) },
  ]);
  t.is(await readFile(path, 'utf8'), 'Id,p0,p1\na,0.5,0.25\n');
  t.is((await readPredictions(path)).targets, null);
  await t.throwsAsync(() => scoreFile(path), {
    code: 'dataset_invalid',
    message: 'predictions.csv: expected a column "Target" with the known labels',
  });
});

test('28 probabilities are of the labels of the Human Protein Atlas', async (t) => {
  const header = hpaLabels.map((_, label) => `p${label}`).join(',');
  const path = await fileOf(t, `Id,${header}\na${',0.5'.repeat(28)}\n`);
  t.is((await readPredictions(path)).labels, hpaLabels);
});

test('a byte order mark, other columns and another order of columns are let be', async (t) => {
  const path = await fileOf(t, '\uFEFFp1,note,Id,p0,Target\n0.25,x,a,0.75,1\n');
  const { ids, probabilities, targets } = await readPredictions(path);
  t.deepEqual([ids, [...probabilities], [...(targets ?? [])]], [['a'], [0.75, 0.25], [0, 1]]);
});

test('every fault of a file is told with its line', async (t) => {
  const path = await fileOf(
    t,
    ['Id,Target,p0,p1', 'a,0,0.5,abc', 'b,2,1.5,0.5', 'a,-1,0.5,0.5', ',0,0.5', ''].join('\n'),
  );
  await t.throwsAsync(() => readPredictions(path), {
    code: 'dataset_invalid',
    message: [
      'predictions.csv: line 2 has p1 "abc", expected a number from 0 to 1',
      'line 3 has p0 "1.5", expected a number from 0 to 1',
      'line 3 has label "2", expected a whole number from 0 to 1',
      'line 4 repeats the Id "a"',
      'line 4 has label "-1", expected a whole number from 0 to 1',
      'line 5 has no Id',
      'line 5 has p1 "", expected a number from 0 to 1',
    ].join('; '),
  });
});

for (const [title, content, message] of [
  ['without p0', 'Id,Target,p1\na,0,0.5\n', /expected columns "p0", "p1", …/],
  ['without Id', 'Name,Target,p0\na,0,0.5\n', /expected a column "Id"/],
  ['with a gap', 'Id,p0,p2\na,0.5,0.5\n', /expected a column "p1" before "p2"/],
  ['without rows', 'Id,p0\n', /expected at least one row, got none/],
  ['without anything', '', /expected at least one row, got none/],
  [
    'with an open quote',
    'Id,p0\n"a,0.5\n',
    /expected a csv of predictions in "predictions.csv": Quote Not Closed/,
  ],
] as const) {
  test(`a file ${title} is refused`, async (t) => {
    const path = await fileOf(t, content);
    await t.throwsAsync(() => readPredictions(path), { code: 'dataset_invalid', message });
  });
}

test('many faults are counted and not all named', async (t) => {
  const rows = Array.from({ length: 100 }, (_, at) => `f${at},2`).join('\n');
  const path = await fileOf(t, `Id,p0\n${rows}\n`);
  await t.throwsAsync(() => readPredictions(path), { message: /; and 92 more$/ });
});

test('a file that is not there is named without its folder', async (t) => {
  const path = join(await makeFolder(t), 'missing.csv');
  const { message } = await t.throwsAsync(() => readPredictions(path), { code: 'dataset_invalid' });
  t.is(message, 'expected a csv of predictions in "missing.csv": there is no such file');
});

test('a place that cannot be written is told', async (t) => {
  const path = join(await makeFolder(t), 'absent/predictions.csv');
  await t.throwsAsync(() => writePredictions(path, []), {
    code: 'storage_failed',
    message: /"predictions.csv".*ENOENT/,
  });
});

test('a submission has the order of the sample, and may leave a frame without a label', async (t) => {
  const path = join(await makeFolder(t), 'submission.csv');
  const rows = [
    { id: 'a', labelIndices: null, probabilities: Float32Array.of(0.5, 0.6, 0.1) },
    { id: 'b', labelIndices: null, probabilities: Float32Array.of(0.1, 0.3, 0.2) },
  ];
  await writeSubmission(path, rows, { order: ['b', 'a'], thresholds: [0.5, 0.5, 0.5] });
  t.is(await readFile(path, 'utf8'), 'Id,Predicted\nb,\na,0 1\n');
});

test('a submission that misses frames of the sample is not written', async (t) => {
  const path = join(await makeFolder(t), 'submission.csv');
  await t.throwsAsync(() => writeSubmission(path, [], { order: ['a', 'b'], thresholds: [0.5] }), {
    code: 'dataset_invalid',
    message: 'expected a prediction for each of 2 frames, 2 have none: a, b',
  });
  await t.throwsAsync(() => readFile(path), { code: 'ENOENT' });
});

async function fileOf(t: ExecutionContext, content: string): Promise<string> {
  const path = join(await makeFolder(t), 'predictions.csv');
  await writeFile(path, content);
  return path;
}
