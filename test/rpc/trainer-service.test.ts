import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import type { EvaluateReply } from '../../src/client/index.js';
import { DomainError } from '../../src/errors.js';
import { score } from '../../src/evaluation/index.js';
import type { RunAdmin } from '../../src/rpc/index.js';
import type { Run, RunEvent } from '../../src/training/index.js';
import { newSpec } from '../training/run-fixtures.js';
import { collect, inputSpec, openTestPort } from './fakes.js';

const spec = newSpec({ dataPath: '/data/cells', epochs: 2, batchSize: 4 });
const run: Run = {
  id: 'r1',
  spec,
  state: 'running',
  failure: '',
  device: 'onnxruntime/cuda',
  deviceNote: '',
  startedAtMs: 1000,
  endedAtMs: null,
  publishedVersion: null,
  resumable: false,
  history: [],
};

/** One run whose events the test makes. */
function createTestRuns() {
  const events: RunEvent[] = [];
  const given: Readonly<Record<string, unknown>>[] = [];
  let stopped = 0;
  let wake: () => void = () => {};
  const known = (runId: string) => {
    if (runId !== 'r1') throw new DomainError('run_unknown', `no run "${runId}"`);
    return run;
  };
  const runs: RunAdmin = {
    async start(partial) {
      given.push(partial);
      if (partial['model'] === undefined) throw new DomainError('option_invalid', 'model: missing');
      return run;
    },
    async resume(runId) {
      known(runId);
      return { run, fromNumber: 3 };
    },
    async *watch(runId, fromNumber, signal) {
      known(runId);
      signal.addEventListener('abort', () => wake());
      for (let next = fromNumber; ; ) {
        signal.throwIfAborted();
        const event = events[next - 1];
        if (event === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        next += 1;
        yield event;
        if (event.kind === 'ended') return;
      }
    },
    async stop(runId) {
      stopped += 1;
      return known(runId);
    },
    get: async (runId) => known(runId),
    list: async () => [run],
  };
  return {
    runs,
    given,
    emit(...bodies: readonly object[]) {
      for (const body of bodies) {
        const number = events.length + 1;
        events.push({ ...body, number, runId: 'r1', atMs: number } as RunEvent);
      }
      wake();
    },
    get stopped() {
      return stopped;
    },
  };
}

const loaded = { kind: 'framesLoaded', loaded: 1, total: 1 };
const ended = { kind: 'ended', state: 'finished', reason: 'finished 2 epochs' };

test('a run is started with the given fields only, and followed to its end', async (t) => {
  const test = createTestRuns();
  const { client } = await openTestPort(t, { runs: test.runs });
  test.emit(loaded, ended);
  const events = await collect(client.train({ model: 'cells', dataPath: '/data/cells' }));
  t.deepEqual(
    events.map(({ number, kind }) => [number, kind]),
    [
      [1, 'framesLoaded'],
      [2, 'ended'],
    ],
  );
  t.deepEqual(test.given, [{ model: 'cells', dataPath: '/data/cells', promote: false }]);
});

test('a run is resumed, and followed from its first new event', async (t) => {
  const test = createTestRuns();
  const { client } = await openTestPort(t, { runs: test.runs });
  test.emit(loaded, { ...ended, state: 'failed' }, { kind: 'resumed' }, ended);
  const events = await collect(client.resumeRun('r1'));
  t.deepEqual(
    events.map(({ number, kind }) => [number, kind]),
    [
      [3, 'resumed'],
      [4, 'ended'],
    ],
  );
  await t.throwsAsync(collect(client.resumeRun('r9')), { code: 'run_unknown' });
});

test('a spec with faults is option_invalid', async (t) => {
  const { client } = await openTestPort(t, { runs: createTestRuns().runs });
  const error = await t.throwsAsync(collect(client.train({})), { instanceOf: DomainError });
  t.is(error.code, 'option_invalid');
});

test('a caller that leaves does not stop the run, and may watch it again from any event', async (t) => {
  const test = createTestRuns();
  const { client } = await openTestPort(t, { runs: test.runs });
  test.emit(loaded);
  for await (const event of client.train({ model: 'cells' })) {
    t.is(event.number, 1);
    break;
  }
  t.is(test.stopped, 0);
  const watching = collect(client.watchRun('r1', 2));
  test.emit(loaded, ended);
  t.deepEqual(
    (await watching).map(({ number }) => number),
    [2, 3],
  );
});

test('a drain ends the view of a run, and says that the run may be watched again', async (t) => {
  const test = createTestRuns();
  const { client, rpc } = await openTestPort(t, { runs: test.runs });
  test.emit(loaded);
  let drained: Promise<void> | null = null;
  const error = await t.throwsAsync(
    async () => {
      for await (const _event of client.watchRun('r1')) drained = rpc.drain(60_000);
    },
    { instanceOf: DomainError },
  );
  t.is(error.code, 'draining');
  await drained;
  t.is(test.stopped, 0);
});

test('runs are got, listed and stopped; an unknown one is run_unknown', async (t) => {
  const test = createTestRuns();
  const { client } = await openTestPort(t, { runs: test.runs });
  t.deepEqual(await client.getRun('r1'), run);
  t.deepEqual(await client.listRuns(), [run]);
  t.is((await client.stopRun('r1')).id, 'r1');
  t.is(test.stopped, 1);
  for (const call of [client.getRun('r2'), collect(client.watchRun('r2'))]) {
    const error = await t.throwsAsync(call as Promise<unknown>, { instanceOf: DomainError });
    t.is(error.code, 'run_unknown');
  }
});

test('an evaluation tells its progress, not too often, and last its report', async (t) => {
  const one = { probabilities: Float64Array.of(1), targets: Uint8Array.of(1) };
  const report = score({ ...one, labels: ['a'], thresholds: [0.5] });
  const { client } = await openTestPort(t, {
    evaluate: async ({ model }, { onProgress }) => {
      for (let done = 1; done <= 5000; done += 1) {
        onProgress(done, 5000);
        if (done % 100 === 0) await setImmediate();
      }
      return { modelName: model, modelVersion: 3, inputSpec, report };
    },
  });
  const replies = await collect<EvaluateReply>(
    client.evaluate({ dataPath: '/data', model: 'cells' }),
  );
  const last = replies.at(-1);
  t.like(last, { kind: 'report', modelName: 'cells', modelVersion: 3, report });
  const progress = replies.slice(0, -1);
  t.true(progress.length >= 1 && progress.length < 50, `${progress.length} of 5000`);
  t.like(progress.at(-1), { kind: 'progress', done: 5000, total: 5000 });
});

test('a caller that leaves an evaluation aborts it', async (t) => {
  let signalOfIt: AbortSignal | null = null;
  const { client } = await openTestPort(t, {
    evaluate: (_request, { onProgress, signal }) => {
      signalOfIt = signal;
      onProgress(1, 10);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    },
  });
  for await (const reply of client.evaluate({ dataPath: '/data', model: 'cells' })) {
    t.is(reply.kind, 'progress');
    break;
  }
  const { signal } = { signal: signalOfIt as AbortSignal | null };
  if (signal === null) throw new Error('the evaluation did not start');
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  t.is((signal.reason as DomainError).code, 'cancelled');
});
