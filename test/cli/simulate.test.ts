import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { makeFolder } from '../make-folder.js';
import { runCli } from './run-cli.js';

test('simulate writes a dataset that train can read', async (t) => {
  const folder = await makeFolder(t);
  const out = join(folder, 'cells');
  const words = ['simulate', '--out', out, '--frames', '5', '--size', '64', '--seed', '9'];
  const { stdout, stderr, exitCode } = await runCli(words);
  // A machine that takes its time shows progress there.
  t.notRegex(stderr, /^cytostream:/m);
  t.is(exitCode, 0);
  t.regex(stdout, /^wrote 5 frames to .*; train on them with: npx cytostream train --data /);
  const csv = (await readFile(join(out, 'train.csv'), 'utf8')).trim().split(/\r?\n/);
  t.is(csv[0], 'Id,Target');
  t.is(csv.length, 6);
  t.is((await readdir(join(out, 'train'))).length, 20);
});

test('simulate wants to know where its frames go', async (t) => {
  for (const words of [[], ['--out', 'a', '--server', 'localhost:1']]) {
    const { stderr, exitCode } = await runCli(['simulate', ...words]);
    t.is(exitCode, 2);
    t.is(stderr, 'cytostream: expected either --out DIR or --server HOST:PORT\n');
  }
});

test('simulate says which server it could not reach', async (t) => {
  const { stderr, exitCode } = await runCli([
    'simulate',
    '--server',
    '127.0.0.1:1',
    '--frames',
    '1',
  ]);
  t.is(exitCode, 1);
  t.is(
    stderr,
    'cytostream: no server answers at 127.0.0.1:1; start one with: npx cytostream serve\n',
  );
});
