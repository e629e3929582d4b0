import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { RunEvent } from '../../src/training/index.js';
import { readRunFolder } from '../../src/training/run-folder.js';
import { thisOwner } from '../../src/training/run-owner.js';
import { createRunStore, orphanReason, stopFile } from '../../src/training/run-store.js';
import { makeFolder } from '../make-folder.js';
import { endedEvent, stepEvent, what } from './run-fixtures.js';

const never = new AbortController().signal;

async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const numbers = (events: readonly RunEvent[]) => events.map(({ number }) => number);

test('a run has its spec on disk before its first event', async (t) => {
  const store = createRunStore(join(await makeFolder(t), 'runs'));
  t.teardown(() => store.close());
  const { path } = await store.create('first', what);
  const spec = JSON.parse(await readFile(join(path, 'spec.json'), 'utf8'));
  t.deepEqual(spec.spec, what.spec);
  const run = await store.get('first');
  t.is(run.state, 'running');
  t.is(run.endedAtMs, null);
});

test('a run of an earlier release is read with the defaults of what came later', async (t) => {
  const store = createRunStore(join(await makeFolder(t), 'runs'));
  t.teardown(() => store.close());
  const { path } = await store.create('old', what);
  const record = JSON.parse(await readFile(join(path, 'spec.json'), 'utf8'));
  const { engine, loss, ...earlier } = record.spec;
  await writeFile(join(path, 'spec.json'), JSON.stringify({ ...record, spec: earlier }));
  t.deepEqual((await readRunFolder(path)).spec, what.spec);
  t.deepEqual([engine, loss], ['onnxruntime', 'bce']);
  // What the frames and labels are once stood beside the spec.
  const { inputSpec, labels, ...before } = record.spec;
  const beside = { ...record, inputSpec, labels, spec: before };
  await writeFile(join(path, 'spec.json'), JSON.stringify(beside));
  t.deepEqual(await readRunFolder(path), record);
});

test('events are numbered without gaps, watched while they come and read back by another store', async (t) => {
  const folder = await makeFolder(t);
  const store = createRunStore(folder);
  await store.create('run', what);
  const watched = collect(store.watch('run', 1, never));
  await Promise.all(Array.from({ length: 50 }, (_, step) => store.append('run', stepEvent(step))));
  const late = collect(store.watch('run', 40, never));
  await store.append('run', { kind: 'published', model: 'cells', version: 3 });
  await store.append('run', endedEvent);
  const all = await watched;
  t.deepEqual(
    numbers(all),
    Array.from({ length: 52 }, (_, index) => index + 1),
  );
  t.deepEqual(await late, all.slice(39));
  await store.close();

  const later = createRunStore(folder);
  t.deepEqual(await collect(later.watch('run', 0, never)), all);
  t.deepEqual(await collect(later.watch('run', 99, never)), []);
  const run = await later.get('run');
  t.is(run.state, 'finished');
  t.is(run.publishedVersion, 3);
  t.is(run.endedAtMs, all.at(-1)?.atMs ?? null);
});

test('epochs make the history, and a diverged loss stays not a number on disk', async (t) => {
  const folder = await makeFolder(t);
  const store = createRunStore(folder);
  await store.create('run', what);
  const scores = {
    epoch: 1,
    trainingLoss: 0.5,
    trainingAccuracy: 0.9,
    trainingMacroF1Present: 0.4,
    trainingMacroAveragePrecisionPresent: 0.55,
    validationLoss: 0.4,
    validationAccuracy: 0.95,
    validationMacroF1Present: 0.375,
    validationMacroAveragePrecisionPresent: 0.45,
    validationMacroF1: 0.1,
    alwaysNoAccuracy: 0.94,
    seconds: 2,
    best: true,
  };
  await store.append('run', { kind: 'epoch', ...scores });
  await store.append('run', stepEvent(1, Number.NaN));
  await store.append('run', { kind: 'ended', state: 'failed', reason: 'loss is NaN at step 812' });
  await store.close();
  const later = createRunStore(folder);
  const run = await later.get('run');
  t.deepEqual(run.history, [scores]);
  t.is(run.failure, 'loss is NaN at step 812');
  const [, step] = await collect(later.watch('run', 1, never));
  t.true(step?.kind === 'step' && Number.isNaN(step.loss));
});

test('epochs of an earlier version are read back, without the scores that they lack', async (t) => {
  const folder = await makeFolder(t);
  const store = createRunStore(folder);
  await store.create('run', what);
  await store.close();
  const scores = { trainingLoss: 0.5, trainingAccuracy: 0.9, validationLoss: 0.4 };
  const event = { kind: 'epoch', epoch: 1, ...scores, number: 1, runId: 'run', atMs: 5 };
  await writeFile(join(folder, 'run', 'events.jsonl'), `${JSON.stringify(event)}\n`);
  const later = createRunStore(folder);
  t.teardown(() => later.close());
  const [epoch] = (await later.get('run')).history;
  t.like(epoch, { epoch: 1, ...scores });
  t.is(epoch?.validationMacroF1Present, Number.NaN);
  t.is(epoch?.trainingMacroAveragePrecisionPresent, Number.NaN);
});

test('an ended run takes no event and no stop', async (t) => {
  const store = createRunStore(await makeFolder(t));
  t.teardown(() => store.close());
  const { path } = await store.create('run', what);
  await store.requestStop('run');
  t.true(existsSync(stopFile(path)));
  await store.append('run', endedEvent);
  const ended = { name: 'DomainError', code: 'run_state' } as const;
  await t.throwsAsync(store.append('run', stepEvent(2)), ended);
  await t.throwsAsync(store.requestStop('run'), ended);
});

test('names are checked: taken, unfit, unknown', async (t) => {
  const folder = await makeFolder(t);
  const store = createRunStore(folder);
  t.teardown(() => store.close());
  await store.create('run', what);
  await t.throwsAsync(store.create('run', what), { code: 'run_exists' } as object);
  for (const id of ['', '../run', 'a/b', '.hidden', 'x'.repeat(65)]) {
    await t.throwsAsync(store.create(id, what), { code: 'option_invalid' } as object, id);
    await t.throwsAsync(store.get(id), { code: 'run_unknown' } as object, id);
  }
  await mkdir(join(folder, 'no-run'));
  await t.throwsAsync(store.get('no-run'), { message: 'there is no run "no-run"' });
  await t.throwsAsync(collect(store.watch('gone', 1, never)), { code: 'run_unknown' } as object);
  await t.throwsAsync(store.requestStop('gone'), { code: 'run_unknown' } as object);
  t.deepEqual(
    (await store.list()).map(({ id }) => id),
    ['run'],
  );
});

test('a folder of runs that does not exist has none, and one that is a file is told', async (t) => {
  const folder = await makeFolder(t);
  t.deepEqual(await createRunStore(join(folder, 'none')).list(), []);
  await writeFile(join(folder, 'file'), '');
  const store = createRunStore(join(folder, 'file'));
  await t.throwsAsync(store.create('run', what), {
    name: 'DomainError',
    code: 'storage_failed',
    message: 'cannot make the folder of runs: a file of that name is there (EEXIST)',
  });
});

test('a watch ends with its signal and leaves the run alone', async (t) => {
  const store = createRunStore(await makeFolder(t));
  t.teardown(() => store.close());
  await store.create('run', what);
  await store.append('run', stepEvent(1));
  const left = new AbortController();
  const seen: number[] = [];
  const watching = (async () => {
    for await (const { number } of store.watch('run', 1, left.signal)) {
      seen.push(number);
      left.abort();
    }
  })();
  await t.throwsAsync(watching, { name: 'DomainError', code: 'cancelled' });
  t.deepEqual(seen, [1]);
  const waiting = collect(store.watch('run', 2, AbortSignal.timeout(1)));
  await t.throwsAsync(waiting, { name: 'DomainError', code: 'deadline' });
  t.is((await store.append('run', stepEvent(2))).number, 2);
});

test('a run whose process is gone is failed, with an end after its last whole event', async (t) => {
  const folder = await makeFolder(t);
  const child = fork(join(import.meta.dirname, 'store-process.js'), [folder]);
  t.teardown(() => child.kill('SIGKILL'));
  const [message] = await once(child, 'message');
  t.is(message, 'two events written');

  const store = createRunStore(folder);
  t.is((await store.get('theirs')).state, 'running');
  const watched = store.watch('theirs', 1, never)[Symbol.asyncIterator]();
  t.is((await watched.next()).value.number, 1);
  t.is((await watched.next()).value.number, 2);
  await store.requestStop('theirs');

  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  await appendFile(join(folder, 'theirs', 'events.jsonl'), '{"kind":"st');
  const { value: end } = await watched.next();
  t.like(end, { number: 3, kind: 'ended', state: 'failed', reason: orphanReason });
  t.true((await watched.next()).done);
  t.like(await store.get('theirs'), { state: 'failed', failure: orphanReason });
  t.like((await store.list())[0], { id: 'theirs', state: 'failed' });
});

test('a run is resumed behind its end, by one process at a time', async (t) => {
  const folder = await makeFolder(t);
  const first = createRunStore(folder);
  const { path } = await first.create('run', what);
  await first.append('run', stepEvent(1));
  await first.append('run', { kind: 'ended', state: 'failed', reason: 'killed' });
  t.false((await first.get('run')).resumable);
  await t.throwsAsync(first.resume('run'), {
    code: 'run_state',
    message: 'run "run" cannot go on: it left no checkpoint',
  } as object);
  await writeFile(join(path, 'last.safetensors'), '');
  t.true((await first.get('run')).resumable);
  await first.requestStop('run').catch(() => {});
  await writeFile(stopFile(path), '');

  const [one, other] = [createRunStore(folder), createRunStore(folder)];
  const [won, lost] = await Promise.allSettled([one.resume('run'), other.resume('run')]);
  const winner = won.status === 'fulfilled' ? one : other;
  t.deepEqual([won.status, lost.status].sort(), ['fulfilled', 'rejected']);
  const failed = won.status === 'rejected' ? won : lost;
  t.is(failed.status === 'rejected' && failed.reason.code, 'run_state');
  // What was asked of the run before its end is not asked of it now.
  t.false(existsSync(stopFile(path)));
  t.false(existsSync(join(path, 'claim.json')));
  for (const store of [first, one, other]) t.is((await store.get('run')).state, 'running');
  await winner.append('run', stepEvent(2));
  await winner.append('run', endedEvent);
  t.like(await first.get('run'), { state: 'finished', failure: '', resumable: false });
  const events = await collect(first.watch('run', 1, never));
  t.deepEqual(numbers(events), [1, 2, 3, 4, 5]);
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['step', 'ended', 'resumed', 'step', 'ended'],
  );
  await Promise.all([first, one, other].map((store) => store.close()));
});

test('a claim of a process that died is no hindrance, one of a living process is', async (t) => {
  const folder = await makeFolder(t);
  const store = createRunStore(folder);
  t.teardown(() => store.close());
  const { path } = await store.create('run', what);
  await store.append('run', { kind: 'ended', state: 'failed', reason: 'killed' });
  await writeFile(join(path, 'last.safetensors'), '');
  const claim = join(path, 'claim.json');
  await writeFile(claim, JSON.stringify(await thisOwner()));
  await t.throwsAsync(store.resume('run'), {
    code: 'run_state',
    message: 'another process takes up the run just now',
  } as object);
  await writeFile(claim, JSON.stringify({ pid: process.pid, startTime: 'another process' }));
  t.is((await store.resume('run')).resumed.number, 2);
});
