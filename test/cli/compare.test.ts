import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openModelStore } from '../../src/models/index.js';
import { startServe } from '../end-to-end/serve.js';
import { makeFolder } from '../make-folder.js';
import { draftOf } from '../models/model-fixtures.js';
import { writeSmallDataset } from '../training/small-dataset.js';
import { runCli } from './run-cli.js';

test('compare tells two versions apart, on a terminal, as JSON and as a page', async (t) => {
  const folder = await makeFolder(t);
  const data = await writeSmallDataset(join(folder, 'cells'), 12, { labels: [0, 1] });
  const models = join(folder, 'models');
  const store = await openModelStore(models);
  // The first gives every label, the second none.
  for (const bias of [0, -9]) await store.publish(draftOf('tiny', { bias }));
  await store.setAlias('tiny', 'live', 1);
  const out = join(folder, 'out');
  const words = ['compare', '--data', data, '--models', models, '--model', 'tiny'];

  const { stdout, exitCode, stderr } = await runCli([...words, '--with', 'tiny@2', '--out', out]);
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /macro F1, labels present +0\.6667 +0\.0000 +-0\.6667/);
  const html = await readFile(join(out, 'comparison.html'), 'utf8');
  t.notRegex(html, /(?:src|href)="(?!data:)|<script|url\((?!#)/);
  t.true(html.includes('-0.6667') && html.includes('tiny@2') && html.includes('always answering'));
  const saved = JSON.parse(await readFile(join(out, 'comparison.json'), 'utf8'));
  t.is(saved.secondRef, 'tiny@2');

  const json = await runCli([...words, '--with', 'tiny@1', '--json']);
  const told = JSON.parse(json.stdout);
  t.is(told.macroF1Present.gain, 0);
  t.is(told.macroF1Present.pValue, 1);

  // A server compares the same, from frames of its own.
  const served = await startServe(t, ['--models', models, '--data-roots', folder]);
  const there = ['--server', served.address];
  const elsewhere = words.filter((word) => word !== '--models' && word !== models);
  const page = join(folder, 'page');
  const asked = await runCli([...elsewhere, ...there, '--with', 'tiny@2', '--json', '--out', page]);
  t.is(asked.exitCode, 0, asked.stderr);
  const here = await runCli([...words, '--with', 'tiny@2', '--json']);
  t.deepEqual(JSON.parse(asked.stdout), JSON.parse(here.stdout));
  t.regex(await readFile(join(page, 'comparison.html'), 'utf8'), /tiny@2/);
  const nobody = await runCli([...elsewhere, ...there, '--with', 'tiny@7']);
  t.is(nobody.exitCode, 1);
  t.regex(nobody.stderr, /tiny has no version 7/);

  const unknown = await runCli([...words, '--with', 'tiny@7']);
  t.is(unknown.exitCode, 1);
  t.regex(unknown.stderr, /tiny has no version 7/);
});
