import test from 'ava';
import { createOnnxGraphRunner } from '../../../src/engines/index.js';
import { score } from '../../../src/evaluation/index.js';
import {
  buildTrainingStep,
  initialiseParameters,
  type Parameters,
  repeatStep,
} from '../../../src/graph/index.js';
import { createNetwork } from '../../../src/training/networks/index.js';
import { createBatchLoader } from '../../../src/training/process/batch-loader.js';
import { type FrameSet, framesOf } from '../../../src/training/process/frame-set.js';
import { type LearningState, learn } from '../../../src/training/process/learn.js';
import type { ProcessEvent } from '../../../src/training/process/messages.js';
import { lossOf } from '../../../src/training/process/run-loss.js';
import type { RunSpec } from '../../../src/training/run.js';
import type { StepBatch, StepRunner } from '../../../src/training/step-runner.js';
import { createStepRunner } from '../../../src/training/step-runner.js';
import { newSpec } from '../run-fixtures.js';
import { createSmallSet, smallShape } from './small-set.js';

const labels = ['red', 'green', 'none'];
const baseSpec = newSpec({ epochs: 2, batchSize: 4, split: 'first', seed: 5 });

/** All that is saved of a learning, the runner's part included. */
type Saved = LearningState & { readonly step: number; readonly state: Parameters };

const copyOf = (state: Parameters): Parameters =>
  new Map([...state].map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]));

/** Learns with the real graph, and notes every batch, rate and event. */
async function learnSmall(
  given: Partial<RunSpec>,
  {
    frameCount = 10,
    training = createSmallSet(frameCount),
    validation = createSmallSet(6, 100),
    stopAfter = Number.POSITIVE_INFINITY,
    from = null,
    isSaveDue = () => false,
    stepsPerCall = 1,
  }: {
    readonly frameCount?: number;
    readonly training?: FrameSet;
    readonly validation?: FrameSet;
    readonly stopAfter?: number;
    readonly from?: Saved | null;
    readonly isSaveDue?: () => boolean;
    readonly stepsPerCall?: number;
  } = {},
) {
  const spec = { ...baseSpec, ...given };
  const network = createNetwork(spec.network, smallShape);
  const loss = lossOf(spec, training);
  const { batchSize, emaDecay } = spec;
  const step = buildTrainingStep(network, { batchSize, emaDecay, loss });
  const { model } = stepsPerCall > 1 ? repeatStep(step, stepsPerCall) : step;
  const graphRunner = await createOnnxGraphRunner(model, { threads: 1 });
  const state = from?.state ?? initialiseParameters(network, spec.seed);
  const real = createStepRunner(
    { step, state, seed: spec.seed, stepsDone: from?.step ?? 0, stepsPerCall },
    { runner: graphRunner },
  );
  const seen: { batch: StepBatch; rate: number; loss: number; answers: readonly number[] }[] = [];
  const runner: StepRunner = {
    get step() {
      return real.step;
    },
    parameters: () => real.parameters(),
    state: () => real.state(),
    stepsPerCall,
    run: (batch, rate) => real.run(batch, rate),
    async runAll(steps) {
      const results = await real.runAll(steps);
      for (const [index, { batch, learningRate: rate }] of steps.entries()) {
        const { probabilities, loss } = results[index]!;
        const answers = [...probabilities];
        seen.push({ batch: { ...batch, pixels: batch.pixels.slice() }, rate, loss, answers });
      }
      return results;
    },
  };
  const loader = createBatchLoader({ set: training, size: smallShape, spec, stepsPerCall });
  const events: ProcessEvent[] = [];
  const saved: Saved[] = [];
  try {
    const learned = await learn(
      {
        spec,
        network,
        labels,
        loss,
        training,
        validation,
        threads: 1,
        device: 'cpu',
        from,
      },
      {
        runner,
        loader,
        tell: (event) => events.push(event),
        save: async (now) => {
          const tensors = copyOf(real.state());
          const answered = now.answered.slice();
          // As a checkpoint does: the objects themselves go on changing.
          saved.push({
            ...structuredClone({ ...now, answered }),
            ...{ step: real.step, state: tensors },
          });
        },
        isSaveDue,
        isStopRequested: () => real.step >= stopAfter,
        rest: async () => {},
      },
    );
    return { learned, seen, events, saved };
  } finally {
    await loader.close();
    await graphRunner.close();
  }
}

test('every frame is trained once an epoch, the last batch as small as it comes', async (t) => {
  const { seen, events } = await learnSmall({ epochs: 2 });
  t.deepEqual(
    seen.map(({ batch }) => batch.frameCount),
    [4, 4, 2, 4, 4, 2],
  );
  const { pixels, frameBytes } = createSmallSet(10);
  const framesOf = (from: number) =>
    seen.slice(from, from + 3).flatMap(({ batch }) =>
      Array.from({ length: batch.frameCount }, (_, at) => {
        const frame = Buffer.from(batch.pixels.subarray(at * frameBytes, (at + 1) * frameBytes));
        return pixels.findIndex((known) => frame.equals(known));
      }),
    );
  const [first, second] = [framesOf(0), framesOf(3)];
  const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  t.deepEqual(
    first.toSorted((a, b) => a - b),
    all,
  );
  t.deepEqual(
    second.toSorted((a, b) => a - b),
    all,
  );
  t.notDeepEqual(first, all);
  t.notDeepEqual(second, first);
  const steps = events.filter((event) => event.kind === 'step');
  t.deepEqual(
    steps.map(({ epoch, step, stepsInEpoch }) => [epoch, step, stepsInEpoch]),
    [
      [1, 1, 3],
      [1, 2, 3],
      [1, 3, 3],
      [2, 1, 3],
      [2, 2, 3],
      [2, 3, 3],
    ],
  );
});

test('training scores of an epoch are those of what its steps answered', async (t) => {
  // Some frames come twice, others not at all.
  const given = { epochs: 2, sampling: 'balanced' } as const;
  const { seen, events } = await learnSmall(given);
  const epochs = events.filter((event) => event.kind === 'epoch');
  t.is(epochs.length, 2);
  for (const [index, epoch] of epochs.entries()) {
    const steps = seen.slice(3 * index, 3 * index + 3);
    const loss = steps.reduce((sum, step) => sum + step.loss * step.batch.frameCount, 0) / 10;
    // Sums in another order than the code's could differ in the last bits.
    t.true(Math.abs(epoch.trainingLoss - loss) < 1e-12);
    const expected = score({
      probabilities: Float32Array.from(steps.flatMap(({ answers }) => answers)),
      targets: Uint8Array.from(steps.flatMap(({ batch }) => [...batch.targets])),
      ...{ labels, thresholds: [0.5, 0.5, 0.5] },
    });
    t.is(expected.frameCount, 10);
    t.is(epoch.trainingAccuracy, expected.binaryAccuracy);
    t.is(epoch.trainingMacroF1Present, expected.macroF1Present);
    t.is(epoch.trainingMacroAveragePrecisionPresent, expected.macroAveragePrecisionPresent);
  }
});

test('scores are means over the labels that the part has, of validation as of training', async (t) => {
  // Frames 0 and 3 have the first label, 1 the second; none has the third.
  const { learned } = await learnSmall(
    { epochs: 12, learningRate: 2e-3, batchSize: 2 },
    { training: withoutThirdLabel(24), validation: withoutThirdLabel(8, 100) },
  );
  const scores = learned.history.at(-1)!;
  t.is(scores.validationMacroF1Present, 1.5 * scores.validationMacroF1);
  t.is(scores.validationMacroF1Present, 1);
  t.is(scores.validationMacroAveragePrecisionPresent, 1);
  t.true(scores.trainingMacroF1Present > 0.9, `${scores.trainingMacroF1Present}`);
});

test('an epoch whose first answers were not kept is scored by the rest', async (t) => {
  const whole = await learnSmall({ epochs: 1 }, { isSaveDue: () => true });
  const from = whole.saved[0]!;
  t.is(from.answered.length, 4 * labels.length);
  // As a checkpoint of an earlier version.
  const { learned, seen } = await learnSmall(
    { epochs: 1 },
    { from: { ...from, answered: new Float32Array(0) } },
  );
  const expected = score({
    probabilities: Float32Array.from(seen.flatMap(({ answers }) => answers)),
    targets: Uint8Array.from(seen.flatMap(({ batch }) => [...batch.targets])),
    ...{ labels, thresholds: [0.5, 0.5, 0.5] },
  });
  t.is(expected.frameCount, 6);
  const { trainingLoss, trainingMacroF1Present } = learned.history[0]!;
  t.is(trainingMacroF1Present, expected.macroF1Present);
  t.is(trainingLoss, whole.learned.history[0]!.trainingLoss);
});

test('the rate decays by the step over all epochs', async (t) => {
  const { seen } = await learnSmall({ epochs: 2, learningRate: 2e-3 });
  t.deepEqual(
    seen.map(({ rate }) => rate),
    [0, 1, 2, 3, 4, 5].map((step) => 2e-3 / (1 + (2e-3 / 2) * step)),
  );
});

test('what is easy to see is learnt, and scored beside the answer "no"', async (t) => {
  const { learned, saved } = await learnSmall(
    { epochs: 12, learningRate: 2e-3 },
    { frameCount: 24 },
  );
  t.is(learned.state, 'finished');
  t.is(learned.reason, 'finished 12 epochs');
  const { scores } = learned.best ?? {};
  t.is(scores?.alwaysNoAccuracy, 2 / 3);
  t.true((scores?.validationAccuracy ?? 0) > 0.9, `accuracy ${scores?.validationAccuracy}`);
  t.true((scores?.validationMacroF1 ?? 0) > 0.9, `macro F1 ${scores?.validationMacroF1}`);
  // After each epoch, all of it, the best so far included.
  t.deepEqual(
    saved.map(({ step, progress }) => [step, progress.history.length, progress.part.steps]),
    learned.history.map(({ epoch }) => [epoch * 6, epoch, 0]),
  );
  for (const { progress, best } of saved) {
    const { epoch } = progress.history.findLast((each) => each.best)!;
    t.deepEqual(best, saved[epoch - 1]!.best);
  }
  t.deepEqual(saved.at(-1)!.best!.parameters, learned.best!.parameters);
  const losses = learned.history.map((epoch) => epoch.validationLoss);
  t.is(scores?.validationLoss, Math.min(...losses));
});

test('a run that learns nothing stops early, and says which epoch was best', async (t) => {
  // At a rate below what float32 weights can take up, no epoch differs from the first.
  const { learned } = await learnSmall({ epochs: 9, patience: 2, learningRate: 1e-30 });
  t.is(learned.history.length, 3);
  t.is(learned.state, 'finished');
  t.is(
    learned.reason,
    "stopped early after epoch 3: no lower validation loss than epoch 1's for 2 epochs",
  );
});

test('a stop is heard after the step it came in, and the best epoch stays', async (t) => {
  const { learned, seen } = await learnSmall({ epochs: 5 }, { stopAfter: 4 });
  t.is(seen.length, 4);
  t.is(learned.state, 'stopped');
  t.is(learned.reason, 'stopped on request at step 4');
  t.is(learned.best?.scores.epoch, 1);
});

test('a stop in the last step of an epoch lets the epoch be scored', async (t) => {
  const { learned } = await learnSmall({ epochs: 5 }, { stopAfter: 3 });
  t.is(learned.state, 'stopped');
  t.is(learned.reason, 'stopped on request after epoch 1');
  t.is(learned.history.length, 1);
});

test('a loss that is no number ends the run as failed, by its step', async (t) => {
  const { learned } = await learnSmall({ epochs: 5, learningRate: 1e30 });
  t.is(learned.state, 'failed');
  t.regex(learned.reason, /^loss is (NaN|Infinity) at step \d$/);
});

test('every loss learns what is easy to see, and is watched on the validation part', async (t) => {
  for (const loss of ['weighted', 'focal'] as const) {
    const given = { loss, epochs: 10, learningRate: 2e-3, sampling: 'balanced' } as const;
    const { learned } = await learnSmall(given, { frameCount: 24 });
    const { scores } = learned.best ?? {};
    t.true((scores?.validationMacroF1 ?? 0) > 0.9, `${loss}: ${scores?.validationMacroF1}`);
    t.is(scores?.validationLoss, Math.min(...learned.history.map((epoch) => epoch.validationLoss)));
  }
});

test('the validation loss is that of the run: a focal one is below the plain one', async (t) => {
  const options = { epochs: 1, learningRate: 1e-30 } as const;
  const [plain, focal] = [
    await learnSmall(options),
    await learnSmall({ ...options, loss: 'focal' }),
  ];
  const lossOfFirst = ({ learned }: typeof plain) => learned.history[0]!.validationLoss;
  // The same weights: answers near a half are damped to about a quarter.
  t.true(lossOfFirst(focal) < 0.5 * lossOfFirst(plain));
  t.true(lossOfFirst(focal) > 0.1 * lossOfFirst(plain));
});

test('a cosine rises over the warm-up and falls over all epochs', async (t) => {
  const { seen } = await learnSmall({ epochs: 2, schedule: 'cosine', warmUp: 0.3 });
  const rates = seen.map(({ rate }) => rate);
  t.deepEqual(rates.slice(0, 2), [5e-4, 1e-3]);
  t.true(rates.slice(2).every((rate, at) => rate <= 1e-3 && rate < (rates[at + 1] ?? 1) + 1e-12));
  t.true((rates.at(-1) ?? 1) < 2e-4);
});

test('a learning goes on from any save as if it had never stopped', async (t) => {
  const given = { epochs: 3, patience: 2, sampling: 'balanced', schedule: 'cosine' } as const;
  const whole = await learnSmall(given, { isSaveDue: () => true });
  // 3 steps an epoch: after the first, the second and the last of each.
  t.is(whole.saved.length, 9);
  for (const [at, from] of whole.saved.entries()) {
    const rest = await learnSmall(given, { from });
    t.deepEqual(
      rest.seen.map(({ loss, rate }) => [loss, rate]),
      whole.seen.slice(at + 1).map(({ loss, rate }) => [loss, rate]),
    );
    t.deepEqual(withoutTime(rest.learned), withoutTime(whole.learned), `from step ${from.step}`);
  }
});

test('where weights are averaged, the averages are scored and kept', async (t) => {
  const { learned, saved } = await learnSmall({ epochs: 2, emaDecay: 0.9 });
  const { epoch } = learned.best!.scores;
  const { state } = saved[epoch - 1]!;
  for (const [name, { values }] of learned.best!.parameters) {
    t.deepEqual(values, state.get(`${name}/ema`)!.values, name);
    t.notDeepEqual(values, state.get(name)!.values, name);
  }
  // Another score than that of the same steps' own weights.
  const plain = await learnSmall({ epochs: 2 });
  t.deepEqual(
    plain.seen.map(({ loss }) => loss),
    (await learnSmall({ epochs: 2, emaDecay: 0.9 })).seen.map(({ loss }) => loss),
  );
  t.not(plain.learned.history[0]!.validationLoss, learned.history[0]!.validationLoss);
});

test('a learning that had stopped early when it was saved stops early again', async (t) => {
  const given = { epochs: 9, patience: 2, learningRate: 1e-30 } as const;
  const whole = await learnSmall(given);
  const rest = await learnSmall(given, { from: whole.saved.at(-1)! });
  t.is(rest.seen.length, 0);
  t.deepEqual(rest.learned, whole.learned);
});

test('several steps a call learn to the same bits as one, from wherever they go on', async (t) => {
  const given = {
    epochs: 2,
    sampling: 'balanced',
    schedule: 'cosine',
    emaDecay: 0.9,
    loss: 'focal',
  } as const;
  const single = await learnSmall(given, { frameCount: 18, isSaveDue: () => true });
  const told = ({ events }: typeof single) =>
    events.map((event) => ({ ...event, framesPerSecond: 0, seconds: 0 }));
  // 5 steps an epoch: calls with a rest, and one call that is never full.
  for (const stepsPerCall of [2, 8]) {
    const options = { frameCount: 18, stepsPerCall };
    const several = await learnSmall(given, { ...options, isSaveDue: () => true });
    t.deepEqual(withoutTime(several.learned), withoutTime(single.learned), `${stepsPerCall}`);
    t.deepEqual(told(several), told(single));
    t.deepEqual(
      several.seen.map(({ loss, rate }) => [loss, rate]),
      single.seen.map(({ loss, rate }) => [loss, rate]),
    );
    t.deepEqual(several.saved.at(-1)!.state, single.saved.at(-1)!.state);
    // What was saved by one number of steps is gone on with by another.
    const from = single.saved[5]!;
    const rest = await learnSmall(given, { ...options, from });
    t.deepEqual(withoutTime(rest.learned), withoutTime(single.learned), `from ${from.step}`);
  }
});

test('a stop within a call of steps is heard after it', async (t) => {
  const { learned, saved } = await learnSmall(
    { epochs: 5 },
    { frameCount: 18, stopAfter: 7, stepsPerCall: 3 },
  );
  t.is(learned.state, 'stopped');
  t.is(learned.reason, 'stopped on request at step 8');
  t.like(saved.at(-1), { step: 8, progress: { part: { steps: 3, frames: 12 } } });
});

test('a loss that is no number is told by its own step within a call', async (t) => {
  const given = { epochs: 5, learningRate: 1e30 };
  const [one, several] = [
    await learnSmall(given, { frameCount: 18 }),
    await learnSmall(given, { frameCount: 18, stepsPerCall: 4 }),
  ];
  t.is(several.learned.state, 'failed');
  t.is(several.learned.reason, one.learned.reason);
});

/** Frames of the first two labels alone. */
function withoutThirdLabel(frameCount: number, first = 0): FrameSet {
  const set = createSmallSet(frameCount, first);
  const rows = [...set.frames.keys()].filter((row) => !set.frames[row]!.labelIndices.includes(2));
  return framesOf(set, rows);
}

const withoutTime = (learned: Awaited<ReturnType<typeof learnSmall>>['learned']) => ({
  ...learned,
  history: learned.history.map((scores) => ({ ...scores, seconds: 0 })),
  best: learned.best && { ...learned.best, scores: { ...learned.best.scores, seconds: 0 } },
});
