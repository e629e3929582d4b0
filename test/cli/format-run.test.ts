import test from 'ava';
import { formatRun, formatRuns } from '../../src/cli/format-run.js';
import type { Run } from '../../src/training/index.js';
import { newSpec } from '../training/run-fixtures.js';
import { runCli } from './run-cli.js';

const run: Run = {
  id: 'run-1',
  spec: newSpec({ model: 'cells', epochs: 3 }),
  state: 'failed',
  failure: 'the disk is full',
  device: 'onnxruntime/cuda',
  deviceNote: 'webgpu: no GPU is here',
  startedAtMs: Date.UTC(2026, 10, 23, 18, 10, 4),
  endedAtMs: null,
  publishedVersion: null,
  history: [],
  resumable: true,
};

test('what a run was asked for is told by the options that ask for it', async (t) => {
  const facts = formatRun(run, {}).split('\n');
  const names = facts
    .slice(facts.findIndex((line) => line.startsWith('data ')))
    .map((line) => line.split(' ')[0] ?? '');
  // Size, channels and rule are one field of a spec.
  t.is(names.length, Object.keys(run.spec).length + 2);
  const { stdout } = await runCli(['train', '--help']);
  t.deepEqual(
    names.filter((name) => !new RegExp(`^ +--${name}\\b`, 'm').test(stdout)),
    [],
  );
  t.true(facts.includes('device               onnxruntime/cuda (webgpu: no GPU is here)'));
  t.true(facts.includes('go on                npx cytostream runs resume run-1'));
  t.regex(facts.join('\n'), /^from +-$/m);
});

test('a list of runs tells the time zone of their start', (t) => {
  t.regex(formatRuns([run], {}), /failed {2}cells {2}2026-11-23T18:10Z {5}0\/3 /);
});
