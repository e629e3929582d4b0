import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { makeFolder } from '../make-folder.js';
import { runCli } from './run-cli.js';

test('eda counts and draws a dataset', async (t) => {
  const folder = await makeFolder(t);
  const data = join(folder, 'cells');
  await runCli(['simulate', '--out', data, '--frames', '8', '--size', '48']);
  const out = join(folder, 'eda');
  const { stdout, stderr, exitCode } = await runCli(['eda', '--data', data, '--out', out]);
  t.is(stderr, '');
  t.is(exitCode, 0);
  t.regex(stdout, /^8 frames, \d\.\d\d labels a frame, \d+ of 28 labels present\n/);
  const eda = JSON.parse(await readFile(join(out, 'eda.json'), 'utf8'));
  t.is(eda.frameCount, 8);
  for (const name of eda.files) t.true((await readFile(join(out, name))).length > 0, name);
});

test('eda names every fault of a dataset in one line', async (t) => {
  const folder = await makeFolder(t);
  const data = join(folder, 'cells');
  await runCli(['simulate', '--out', data, '--frames', '3', '--size', '32']);
  await rm(join(data, 'train/sim_000000_red.png'));
  await rm(join(data, 'train/sim_000002_yellow.png'));
  const { stderr, exitCode } = await runCli(['eda', '--data', data, '--out', join(folder, 'out')]);
  t.is(exitCode, 1);
  t.regex(stderr, /^cytostream: [^\n]+\n$/);
  t.regex(stderr, /sim_000000_red\.png/);
  t.regex(stderr, /sim_000002_yellow\.png/);
});
