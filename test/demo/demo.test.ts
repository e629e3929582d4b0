import test from 'ava';
import { runCli } from '../cli/run-cli.js';

test('a demo whose model learns too little says what it reached, promotes nothing and fails', async (t) => {
  // One epoch on forty frames.
  const words = ['demo', '--frames', '40', '--seconds', '1', '--least-f1', '0.6'];
  const { stdout, stderr, exitCode } = await runCli(words);
  t.is(exitCode, 1);
  t.regex(stdout, /^1 {2}simulate: 40 labelled frames to learn from, 420 held out\n/);
  t.regex(stdout, /\n2 {2}train: resnet-small on the CPU, 12 epochs or 1 s\n/);
  t.regex(stdout, /macro F1, all labels/);
  t.notRegex(stdout, /promote/);
  t.regex(
    stderr,
    /(^|\n)cytostream: expected macro F1 of at least 0\.6 on the held-out frames, got 0\.\d{3}\n$/,
  );
});
