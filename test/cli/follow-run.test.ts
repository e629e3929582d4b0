import test from 'ava';
import { followRun } from '../../src/cli/follow-run.js';
import type { Progress, ProgressOptions } from '../../src/cli/progress.js';
import type { Terminal } from '../../src/cli/terminal.js';
import type { RunEvent, RunEventBody } from '../../src/training/index.js';
import { newSpec } from '../training/run-fixtures.js';

const spec = newSpec({ epochs: 2, batchSize: 32 });
const scores = (epoch: number, best: boolean) => ({
  epoch,
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
  seconds: 12.3,
  best,
});
const step = { kind: 'step', stepsInEpoch: 5, loss: 0.5, framesPerSecond: 20 } as const;
const whole: readonly RunEventBody[] = [
  {
    kind: 'started',
    spec,
    parameterCount: 5_217_340,
    trainingFrames: 160,
    validationFrames: 40,
    stepsDone: 0,
    device: 'onnxruntime/cuda+cpu',
    deviceNote: 'a step: parts of it run on cpu',
    movedFrames: 0,
    isParentUnknown: false,
  },
  { kind: 'framesLoaded', loaded: 100, total: 200 },
  { kind: 'framesLoaded', loaded: 200, total: 200 },
  { ...step, epoch: 1, step: 5 },
  { kind: 'epoch', ...scores(1, true) },
  { ...step, epoch: 2, step: 5 },
  { kind: 'epoch', ...scores(2, false) },
  { kind: 'published', model: 'cells', version: 3 },
  { kind: 'ended', state: 'finished', reason: 'finished 2 epochs' },
];

async function* numbered(bodies: readonly RunEventBody[]): AsyncGenerator<RunEvent> {
  for (const [index, body] of bodies.entries()) {
    yield { ...body, number: index + 1, runId: 'run-1', atMs: index * 1000 };
  }
}

/** A terminal that keeps what it was told. */
function createMemoryTerminal() {
  const printed: string[] = [];
  const bars: {
    options: ProgressOptions;
    updates: [done: number, remark: string | undefined, atMs: number | undefined][];
    ends: number;
  }[] = [];
  const terminal: Terminal = {
    print: (line) => void printed.push(line),
    note: (line) => void printed.push(line),
    progress: (options): Progress => {
      const bar: (typeof bars)[number] = { options, updates: [], ends: 0 };
      bars.push(bar);
      return {
        update: (...told) => void bar.updates.push([told[0], told[1], told[2]]),
        setTotal: () => {},
        above: () => {},
        end: () => {
          bar.ends += 1;
        },
      };
    },
    interruption: () => {
      throw new Error('not asked for here');
    },
    isInteractive: false,
    columns: 80,
  };
  return { terminal, printed, bars };
}

test('a run is shown as a bar over all steps and a line an epoch', async (t) => {
  const { terminal, printed, bars } = createMemoryTerminal();
  const end = await followRun(numbered(whole), { json: false }, terminal);
  t.deepEqual(printed, [
    'run run-1: seed-cnn, 5,217,340 parameters, 160 frames train, 40 validate',
    'it trains on onnxruntime/cuda+cpu (a step: parts of it run on cpu)',
    'epoch 1/2  loss 0.5000  validation loss 0.2500  macro F1, labels present 0.3750 (training 0.4000)  average precision 0.4500 (training 0.5500)  accuracy 0.9600 ("no" 0.9500)  12.3 s  best',
    'epoch 2/2  loss 0.5000  validation loss 0.2500  macro F1, labels present 0.3750 (training 0.4000)  average precision 0.4500 (training 0.5500)  accuracy 0.9600 ("no" 0.9500)  12.3 s',
    'exporting the weights of epoch 1, checking them and choosing thresholds',
  ]);
  t.deepEqual(
    bars.map(({ options, updates, ends }) => [
      options.title,
      options.total,
      updates.at(-1)?.[0],
      ends,
    ]),
    [
      ['loading', 200, 200, 1],
      ['training', 10, 10, 1],
    ],
  );
  t.deepEqual(end, {
    runId: 'run-1',
    state: 'finished',
    reason: 'finished 2 epochs',
    published: { model: 'cells', version: 3 },
    best: { kind: 'epoch', ...scores(1, true), number: 5, runId: 'run-1', atMs: 4000 } as never,
  });
});

test('what a version that a run begins with has seen is told where it changes the parts', async (t) => {
  const { terminal, printed } = createMemoryTerminal();
  const begun = whole[0] as RunEventBody & { readonly kind: 'started' };
  const child = { ...spec, parent: 'cells@3' };
  const end = { kind: 'ended', state: 'stopped', reason: 'asked to' } as const;
  const tell = (given: Partial<typeof begun>) =>
    followRun(numbered([{ ...begun, spec: child, ...given }, end]), { json: false }, terminal);
  await tell({ movedFrames: 12 });
  await tell({ isParentUnknown: true });
  t.deepEqual(
    printed.filter((line) => line.includes('cells@3')),
    [
      '12 frames were to validate or be held out that cells@3 has seen, or others of their fields: those that it was trained on train, the others validate',
      'UNKNOWN which frames cells@3 was trained on: it may know some that validate',
    ],
  );
});

test('with --json every event is one line and nothing else is said', async (t) => {
  const { terminal, printed } = createMemoryTerminal();
  await followRun(numbered(whole), { json: true }, terminal);
  t.is(printed.length, whole.length);
  t.deepEqual(
    printed.map((line) => JSON.parse(line).number),
    whole.map((_, index) => index + 1),
  );
});

test('a failed run says why', async (t) => {
  const { terminal } = createMemoryTerminal();
  const reason = 'loss is NaN at step 812';
  const events = numbered([whole[0]!, { kind: 'ended', state: 'failed', reason }]);
  const end = await followRun(events, { json: false }, terminal);
  t.is(end?.state, 'failed');
  t.is(end?.reason, reason);
  t.is(end?.published, null);
});

test('a run that was resumed is followed beyond the end that was none', async (t) => {
  const { terminal, printed } = createMemoryTerminal();
  const events = numbered([
    ...whole.slice(0, 5),
    { kind: 'ended', state: 'failed', reason: 'the trainer process was ended by SIGKILL' },
    { kind: 'resumed' },
    { ...whole[0]!, stepsDone: 5 } as RunEventBody,
    ...whole.slice(5),
  ]);
  const end = await followRun(events, { json: false }, terminal);
  t.is(end?.state, 'finished');
  t.is(end?.published?.version, 3);
  t.deepEqual(printed.slice(3, 5), [
    'the trainer process was ended by SIGKILL; resumed',
    'going on after step 5',
  ]);
});

test('the bar of a run that goes on begins where the run does, by the time of its events', async (t) => {
  const { terminal, bars } = createMemoryTerminal();
  const events = numbered([
    { kind: 'resumed' },
    { ...whole[0]!, stepsDone: 6 } as RunEventBody,
    { kind: 'framesLoaded', loaded: 17, total: 200 },
    { kind: 'framesLoaded', loaded: 200, total: 200 },
    { ...step, epoch: 2, step: 2 },
    { ...step, epoch: 2, step: 3 },
  ]);
  await followRun(events, { json: false }, terminal);
  t.deepEqual(
    bars.map(({ options, updates }) => [options.begun, updates.map(([done, , at]) => [done, at])]),
    [
      [
        { done: 17, atMs: 2000 },
        [
          [17, 2000],
          [200, 3000],
        ],
      ],
      [
        { done: 7, atMs: 4000 },
        [
          [7, 4000],
          [8, 5000],
        ],
      ],
    ],
  );
});

test('the bar shows macro F1 of the labels present once an epoch has told it', async (t) => {
  const { terminal, bars } = createMemoryTerminal();
  await followRun(numbered(whole), { json: false }, terminal);
  t.deepEqual(
    bars.at(-1)?.updates.map(([, remark]) => remark),
    [
      'epoch 1/2  loss 0.5000  20.0 frames/s',
      'epoch 2/2  loss 0.5000  F1, labels present 0.3750  20.0 frames/s',
    ],
  );
});

test('events that end before the run does are told apart', async (t) => {
  const { terminal, bars } = createMemoryTerminal();
  t.is(await followRun(numbered(whole.slice(0, 4)), { json: false }, terminal), null);
  // The display is closed all the same.
  t.true(bars.every(({ ends }) => ends === 1));
});

test('how many epochs are to come may be decided elsewhere', async (t) => {
  const { terminal, bars } = createMemoryTerminal();
  await followRun(numbered(whole), { json: false, epochsToCome: () => 7 }, terminal);
  const training = bars.find(({ options }) => options.title === 'training');
  t.is(training?.options.total, 35);
  t.regex(training?.updates[0]?.[1] ?? '', /^epoch 1\/7 {2}loss 0\.5000 {2}20\.0 frames\/s$/);
});
