import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import {
  buildTrainingStep,
  initialiseParameters,
  type Network,
  type Parameters,
  repeatStep,
  type TrainingStepOptions,
} from '../../src/graph/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { createStepRunner } from '../../src/training/step-runner.js';
import { smallNetworkWithDropout as network, somePixels } from '../graph/small-network.js';

const step = buildTrainingStep(network, { batchSize: 4 });
const batch = {
  pixels: somePixels(4, network.inputShape),
  targets: Float32Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
  frameCount: 4,
};
const start = (state: Parameters = initialiseParameters(network, 1)) => ({ step, state, seed: 1 });

const copyOf = (state: Parameters): Parameters =>
  new Map([...state].map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]));

test('steps lower the loss and change every weight', async (t) => {
  const runner = await createOnnxGraphRunner(step.model, { threads: 1 });
  const steps = createStepRunner(start(), { runner });
  const before = copyOf(steps.parameters());
  const losses: number[] = [];
  for (let at = 0; at < 60; at += 1) losses.push((await steps.run(batch, 1e-2)).loss);
  t.is(steps.step, 60);
  t.true(losses.at(-1)! < losses[0]! / 2, `${losses[0]} to ${losses.at(-1)}`);
  for (const [name, { values }] of steps.parameters()) {
    t.notDeepEqual(values, before.get(name)!.values, name);
  }
  await runner.close();
});

test('a run that is taken up from its state goes on with the same bits', async (t) => {
  const runner = await createOnnxGraphRunner(step.model, { threads: 1 });
  const whole = createStepRunner(start(), { runner });
  for (let at = 0; at < 3; at += 1) await whole.run(batch, 1e-3);
  const kept = copyOf(whole.state());
  for (let at = 0; at < 3; at += 1) await whole.run(batch, 1e-3);

  const again = createStepRunner({ ...start(kept), stepsDone: 3 }, { runner });
  for (let at = 0; at < 3; at += 1) await again.run(batch, 1e-3);
  t.is(again.step, 6);
  t.deepEqual(copyOf(again.state()), copyOf(whole.state()));
  await runner.close();
});

test('averages of the weights start at them, trail them, and are what is served', async (t) => {
  const averaged = buildTrainingStep(network, { batchSize: 4, emaDecay: 0.9 });
  const runner = await createOnnxGraphRunner(averaged.model, { threads: 1 });
  const steps = createStepRunner({ ...start(), step: averaged }, { runner });
  const first = copyOf(initialiseParameters(network, 1));
  t.deepEqual(copyOf(steps.parameters()), first);
  await steps.run(batch, 1e-2);
  const [state, served] = [steps.state(), steps.parameters()];
  t.deepEqual([...served.keys()], [...first.keys()]);
  for (const [name, { values }] of served) {
    t.deepEqual(values, state.get(`${name}/ema`)!.values);
    // After the first step: 2 of 11 parts of where it was.
    const [before, after] = [first.get(name)!.values, state.get(name)!.values];
    t.true(
      values.every((value, at) => {
        const expected = before[at]! + ((after[at]! - before[at]!) * 9) / 11;
        return Math.abs(value - expected) < 1e-6;
      }),
      name,
    );
  }
  await runner.close();
});

test('frozen weights are served as they came, and are part of the state', async (t) => {
  const partly = buildTrainingStep(network, { batchSize: 4, frozenLayers: ['conv1'] });
  const runner = await createOnnxGraphRunner(partly.model, { threads: 1 });
  const steps = createStepRunner({ ...start(), step: partly }, { runner });
  for (let at = 0; at < 2; at += 1) await steps.run(batch, 1e-2);
  const first = initialiseParameters(network, 1);
  for (const kept of [steps.parameters(), steps.state()]) {
    t.deepEqual(kept.get('conv1/kernel')!.values, first.get('conv1/kernel')!.values);
    t.notDeepEqual(kept.get('dense1/kernel')!.values, first.get('dense1/kernel')!.values);
  }
  t.deepEqual(new Set(steps.parameters().keys()), new Set(first.keys()));
  await runner.close();
});

test('a smaller last batch counts its own frames only', async (t) => {
  const small = {
    pixels: batch.pixels.slice(0, 216),
    targets: batch.targets.slice(0, 3),
    frameCount: 1,
  };
  // The same frame four times has the mean of one; without dropout the two steps agree.
  const rateless = buildTrainingStep(
    { ...network, layers: network.layers.filter(({ kind }) => kind !== 'dropout') },
    { batchSize: 4 },
  );
  const ratelessRunner = await createOnnxGraphRunner(rateless.model, { threads: 1 });
  const one = createStepRunner({ ...start(), step: rateless }, { runner: ratelessRunner });
  const four = createStepRunner({ ...start(), step: rateless }, { runner: ratelessRunner });
  // A full batch before it, whose frames must not linger in the padding.
  await one.run(batch, 0);
  await four.run(batch, 0);
  const single = await one.run(small, 1e-3);
  t.is(single.probabilities.length, 3);
  const repeated = {
    pixels: Uint8Array.from({ length: 864 }, (_, i) => small.pixels[i % 216]!),
    targets: Float32Array.from({ length: 12 }, (_, i) => small.targets[i % 3]!),
    frameCount: 4,
  };
  t.true(Math.abs(single.loss - (await four.run(repeated, 1e-3)).loss) < 1e-6);
  await ratelessRunner.close();
});

test('a batch that does not fit is refused and counts no step', async (t) => {
  const runner = await createOnnxGraphRunner(step.model, { threads: 1 });
  const steps = createStepRunner(start(), { runner });
  for (const bad of [
    { ...batch, frameCount: 0 },
    { ...batch, frameCount: 5 },
    { ...batch, pixels: batch.pixels.slice(1) },
    { ...batch, targets: batch.targets.slice(1) },
  ]) {
    await t.throwsAsync(steps.run(bad, 1e-3), { code: 'option_invalid' });
  }
  t.is(steps.step, 0);
  await runner.close();
});

test('a state without a weight is refused by its name', (t) => {
  const state = new Map(initialiseParameters(network, 1));
  state.delete('conv1/bias');
  const runner = { device: '', note: '', run: async () => ({}), close: async () => {} };
  t.throws(() => createStepRunner(start(state), { runner }), {
    message: 'expected 4 values of conv1/bias, got none',
  });
});

/** Steps of full batches and of a last one of a single frame, each with its own rate. */
function plannedSteps({ inputShape }: Network, labelCount: number, count: number) {
  const pixels = somePixels(4 * count, inputShape);
  const frameBytes = inputShape.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, at) => {
    const frameCount = at === count - 1 ? 1 : 4;
    return {
      learningRate: 1e-2 / (at + 1),
      batch: {
        pixels: pixels.slice(at * 4 * frameBytes, (at * 4 + frameCount) * frameBytes),
        targets: Float32Array.from({ length: frameCount * labelCount }, (_, i) => (i + at) % 2),
        frameCount,
      },
    };
  });
}

const repeated: readonly (readonly [
  what: string,
  network: Network,
  labelCount: number,
  options: Omit<TrainingStepOptions, 'batchSize'>,
])[] = [
  ['with dropout', network, 3, {}],
  [
    'with averages, decay and a bound',
    network,
    3,
    { emaDecay: 0.9, weightDecay: 0.1, clipNorm: 0.5 },
  ],
  ['with frozen layers', network, 3, { frozenLayers: ['conv1'] }],
  ['in groups and passes', network, 3, { framesAtOnce: 1, framesPerPass: 2 }],
  ['without indices of pools', network, 3, { lacks: ['poolIndices'] }],
  ['without sums of several', network, 3, { lacks: ['sum'], framesAtOnce: 1 }],
  [
    'of a residual network',
    createNetwork('resnet-small', { channels: 2, heightPx: 16, widthPx: 16, labelCount: 5 }),
    5,
    {},
  ],
];
for (const [what, some, labelCount, options] of repeated) {
  test(`several steps ${what} in one call give the bits of one after the other`, async (t) => {
    const single = buildTrainingStep(some, { batchSize: 4, ...options });
    const several = repeatStep(single, 3);
    const [oneRunner, allRunner] = [
      await createOnnxGraphRunner(single.model, { threads: 1 }),
      await createOnnxGraphRunner(several.model, { threads: 1 }),
    ];
    const begin = { step: single, state: initialiseParameters(some, 2), seed: 7 };
    const one = createStepRunner(begin, { runner: oneRunner });
    const all = createStepRunner({ ...begin, stepsPerCall: 3 }, { runner: allRunner });
    const steps = plannedSteps(some, labelCount, 7);
    const expected: { readonly loss: number; readonly probabilities: Float32Array }[] = [];
    for (const { batch: each, learningRate } of steps) {
      const { loss, probabilities } = await one.run(each, learningRate);
      expected.push({ loss, probabilities: probabilities.slice() });
    }
    const got: typeof expected = [];
    // A whole call, one of a single step, one that is not full, and the last.
    for (const [from, to] of [
      [0, 3],
      [3, 4],
      [4, 6],
      [6, 7],
    ]) {
      for (const { loss, probabilities } of await all.runAll(steps.slice(from, to))) {
        got.push({ loss, probabilities: probabilities.slice() });
      }
    }
    t.deepEqual(got, expected);
    t.is(all.step, 7);
    t.deepEqual(copyOf(all.state()), copyOf(one.state()));
    t.deepEqual(copyOf(all.parameters()), copyOf(one.parameters()));
    await Promise.all([oneRunner.close(), allRunner.close()]);
  });
}

test('more steps than a call has, or none, are refused and count none', async (t) => {
  const runner = await createOnnxGraphRunner(repeatStep(step, 2).model, { threads: 1 });
  const steps = createStepRunner({ ...start(), stepsPerCall: 2 }, { runner });
  const planned = { batch, learningRate: 1e-3 };
  for (const wrong of [[], [planned, planned, planned]]) {
    await t.throwsAsync(steps.runAll(wrong), {
      code: 'option_invalid',
      message: `expected 1 to 2 steps, got ${wrong.length}`,
    });
  }
  const tooLarge = { ...planned, batch: { ...batch, frameCount: 5 } };
  await t.throwsAsync(steps.runAll([planned, tooLarge]), { code: 'option_invalid' });
  t.is(steps.step, 0);
  t.throws(() => repeatStep(step, 0), { message: 'expected steps a call of at least 1, got 0' });
  await runner.close();
});
