import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { makeFolder } from '../make-folder.js';
import { writeSmallDataset } from '../training/small-dataset.js';
import { runCli } from './run-cli.js';

test('train --folds scores every frame by a training that had not seen it, and leaves no version', async (t) => {
  const folder = await makeFolder(t);
  const data = await writeSmallDataset(join(folder, 'cells'), 16);
  const out = join(folder, 'out');
  const words = ['train', '--data', data, '--model', 'cells', '--folds', '2', '--epochs', '1'];
  const size = [
    '--network',
    'resnet-small',
    '--batch',
    '4',
    '--training-part',
    '0.5',
    '--doubts',
    '3',
  ];
  const { stdout, stderr, exitCode } = await runCli([...words, ...size, '--json', '--out', out], {
    cwd: folder,
    env: { CYTOSTREAM_TRAINING_THREADS: '1' },
  });
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /fold 2 of 2: 8 frames to train and validate, 8 held out/);
  const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  t.is(last.kind, 'crossValidated');
  t.is(last.folds.length, 2);
  const [one, two] = last.folds;
  t.is(last.microF1.mean, (one.microF1 + two.microF1) / 2);
  t.true(one.frameCount === 8 && two.frameCount === 8);

  const files = (await readdir(out)).sort();
  t.deepEqual(
    files.filter((file) => file !== 'doubts.csv'),
    ['cross-validation.html', 'cross-validation.json', 'predictions.csv'],
  );
  const rows = (await readFile(join(out, 'predictions.csv'), 'utf8')).trim().split('\n');
  t.is(rows.length, 1 + 16);
  const html = await readFile(join(out, 'cross-validation.html'), 'utf8');
  t.notRegex(html, /(?:src|href)="(?!data:)|<script|url\((?!#)/);
  // The dataset, the report, and frames that a later run finds: neither models nor runs are left.
  t.deepEqual((await readdir(folder)).sort(), ['cells', 'out', 'runs']);
  t.deepEqual(await readdir(join(folder, 'runs')), ['.frames']);
  // Each fold has added what it lacked: 8 frames of the first, 8 of the second.
  const sizes = await Promise.all(
    (await readdir(join(folder, 'runs', '.frames'))).map(
      async (name) => (await stat(join(folder, 'runs', '.frames', name))).size,
    ),
  );
  const frameBytes = 4 * 128 * 128;
  t.deepEqual(
    sizes.map((size) => Math.floor(size / frameBytes)),
    [8, 8],
  );

  const server = await runCli([...words, '--server', 'localhost:1']);
  t.is(server.exitCode, 2);
  const alone = await runCli(['train', '--data', data, '--model', 'cells', '--out', out]);
  t.is(alone.exitCode, 2);
  t.regex(alone.stderr, /--out, --doubts: expected with --folds/);
});
