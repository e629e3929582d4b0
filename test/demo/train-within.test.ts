import { PassThrough } from 'node:stream';
import test from 'ava';
import { createTerminal } from '../../src/cli/index.js';
import { trainWithin } from '../../src/demo/train-within.js';
import type { RunEvent, RunEventBody } from '../../src/training/index.js';
import { newSpec } from '../training/run-fixtures.js';

const scores = {
  trainingLoss: 0.5,
  trainingAccuracy: 0.9,
  trainingMacroF1Present: 0.4,
  trainingMacroAveragePrecisionPresent: 0.55,
  validationLoss: 0.25,
  validationAccuracy: 0.96,
  validationMacroF1Present: 0.375,
  validationMacroAveragePrecisionPresent: 0.45,
  validationMacroF1: 0.125,
  alwaysNoAccuracy: 0.95,
  seconds: 1,
  best: true,
};

/** A server whose run of six epochs takes ten seconds each, from its first step on, and ends when it is asked to. */
function createServer() {
  const spec = newSpec({ epochs: 6 });
  const stops: number[] = [];
  let epochsDone = 0;
  async function* train(): AsyncGenerator<RunEvent> {
    let number = 0;
    const tell = (atMs: number, body: RunEventBody): RunEvent => {
      number += 1;
      return { ...body, number, runId: 'run-1', atMs };
    };
    const begun = { parameterCount: 1, trainingFrames: 8, validationFrames: 2, stepsDone: 0 };
    const where = { device: 'onnxruntime/cpu', deviceNote: '' };
    const parent = { movedFrames: 0, isParentUnknown: false };
    yield tell(0, { kind: 'started', spec, ...begun, ...where, ...parent });
    const step = { kind: 'step', stepsInEpoch: 1, loss: 0.5, framesPerSecond: 1 } as const;
    while (epochsDone < spec.epochs && stops.length === 0) {
      epochsDone += 1;
      const startedAtMs = 5_000 + 10_000 * (epochsDone - 1);
      yield tell(startedAtMs, { ...step, epoch: epochsDone, step: 1 });
      yield tell(startedAtMs + 10_000, { kind: 'epoch', epoch: epochsDone, ...scores });
    }
    yield tell(70_000, { kind: 'published', model: 'demo', version: 1 });
    yield tell(70_000, { kind: 'ended', state: 'finished', reason: `did ${epochsDone} epochs` });
  }
  return { client: { train, stopRun: async () => void stops.push(epochsDone) }, stops, spec };
}

const terminal = createTerminal({ stdout: new PassThrough(), stderr: new PassThrough() });
const { signal } = new AbortController();

test('a run that would outlast its budget is asked to stop after the last epoch that fits', async (t) => {
  const { client, stops, spec } = createServer();
  const end = await trainWithin({ spec, budgetMs: 35_000, signal }, { client, terminal });
  t.deepEqual(stops, [3]);
  t.is(end?.reason, 'did 3 epochs');
  t.true(end?.isCut);
  t.deepEqual(end?.published, { model: 'demo', version: 1 });
});

test('the first epoch is finished whatever the budget', async (t) => {
  const { client, stops, spec } = createServer();
  await trainWithin({ spec, budgetMs: 1, signal }, { client, terminal });
  t.deepEqual(stops, [1]);
});

test('a run that fits does all its epochs and is never asked to stop', async (t) => {
  const { client, stops, spec } = createServer();
  const end = await trainWithin({ spec, budgetMs: 400_000, signal }, { client, terminal });
  t.deepEqual(stops, []);
  t.is(end?.reason, 'did 6 epochs');
  t.false(end?.isCut);
});
