import { readFile } from 'node:fs/promises';
import test from 'ava';
import { describeFailure, Exit, UsageError } from '../../src/cli/failure.js';
import { DomainError } from '../../src/errors.js';

const quiet = { verbose: false };

test('a failure is one line and exit code 1', (t) => {
  const failure = describeFailure(
    new DomainError('model_unknown', 'no model "a"\n  have b'),
    quiet,
  );
  t.deepEqual(failure, { message: 'no model "a"; have b', exitCode: 1 });
});

test('a mistake in the words is exit code 2', (t) => {
  t.deepEqual(describeFailure(new UsageError('expected --out or --server'), quiet), {
    message: 'expected --out or --server',
    exitCode: 2,
  });
});

test('an interruption is exit code 130', (t) => {
  const abort = new DOMException('stopped by SIGINT', 'AbortError');
  t.deepEqual(describeFailure(abort, quiet), { message: 'interrupted', exitCode: 130 });
  t.is(describeFailure(new DomainError('cancelled', 'the caller left'), quiet).exitCode, 130);
});

test('an unexpected failure names its cause, since the screen is its owner', (t) => {
  const failure = describeFailure(DomainError.from(new TypeError('x is not a function')), quiet);
  t.regex(failure.message ?? '', /^x is not a function .*--verbose/);
});

test('a file that is not there is named, without the call that missed it', async (t) => {
  const missing = await readFile('nowhere.onnx').catch((error: unknown) => error);
  t.is(describeFailure(missing, quiet).message, 'there is no "nowhere.onnx"');
  const folder = await readFile('.').catch((error: unknown) => error);
  t.regex(describeFailure(folder, quiet).message ?? '', /^expected a file, got a folder/);
});

test('a run that is not there says where to find its name', (t) => {
  const failure = describeFailure(new DomainError('run_unknown', 'there is no run "a"'), quiet);
  t.is(failure.message, 'there is no run "a"; see which there are with: npx cytostream runs list');
});

test('a full disk says so', (t) => {
  const error = Object.assign(new Error('write failed'), { code: 'ENOSPC' });
  t.is(describeFailure(error, quiet).message, 'write failed: the disk is full');
});

test('the stack and its causes come with --verbose alone', (t) => {
  const error = new DomainError('storage_failed', 'cannot write', { cause: new Error('deeper') });
  const { message } = describeFailure(error, { verbose: true });
  t.regex(message ?? '', /DomainError: cannot write\n\s+at /);
  t.regex(message ?? '', /caused by Error: deeper/);
});

test('a verb that chose its own exit code has said everything', (t) => {
  t.deepEqual(describeFailure(new Exit(3), quiet), { message: null, exitCode: 3 });
});
