import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { labelsOver, readPredictions } from '../../src/evaluation/index.js';
import { runCli } from '../cli/run-cli.js';
import { makeFolder } from '../make-folder.js';
import { importUntrained } from './untrained.js';

test('submission gives each frame of a test folder, in its order, what classify gives it', async (t) => {
  const folder = await makeFolder(t);
  const models = join(folder, 'models');
  await importUntrained(models, 1);
  const data = join(folder, 'cells');
  await runCli(['simulate', '--out', data, '--frames', '3', '--size', '64']);
  const predictions = join(folder, 'predictions.csv');
  const place = ['--model', 'cells', '--models', models];
  await runCli(['classify', '--data', data, '--out', predictions, ...place]);

  const tests = join(folder, 'tests');
  await mkdir(tests);
  await rename(join(data, 'train'), join(tests, 'test'));
  const order = ['sim_000002', 'sim_000000', 'sim_000001'];
  const sample = ['Id,Predicted', ...order.map((id) => `${id},0`)].join('\n');
  await writeFile(join(tests, 'sample_submission.csv'), `${sample}\n`);
  const out = join(folder, 'submission.csv');
  const words = ['submission', '--data', tests, '--out', out, ...place];
  const { stdout, stderr, exitCode } = await runCli(words);
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /^cells@1 labelled 3 frames in /);
  const asJson = await runCli([...words, '--json']);
  t.deepEqual(JSON.parse(asJson.stdout), { model: 'cells@1', frames: 3, out });

  const { ids, labels, probabilities } = await readPredictions(predictions);
  const given = order.map((id) => {
    const at = ids.indexOf(id) * labels.length;
    const row = probabilities.subarray(at, at + labels.length);
    return `${id},${labelsOver(
      row,
      labels.map(() => 0.5),
    ).join(' ')}`;
  });
  t.is(await readFile(out, 'utf8'), `${['Id,Predicted', ...given].join('\n')}\n`);

  await rm(join(tests, 'test', 'sim_000001_blue.png'));
  const incomplete = await runCli(words);
  t.is(incomplete.exitCode, 1);
  t.regex(incomplete.stderr, /^cytostream: [^\n]*sim_000001_blue\.png[^\n]*\n$/);
});
