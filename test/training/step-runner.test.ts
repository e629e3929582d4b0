import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { buildTrainingStep, initialiseParameters, type Parameters } from '../../src/graph/index.js';
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
  const runner = { run: async () => ({}), close: async () => {} };
  t.throws(() => createStepRunner(start(state), { runner }), {
    message: 'expected 4 values of conv1/bias, got none',
  });
});
