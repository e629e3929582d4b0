import test from 'ava';
import { createOnnxGraphRunner } from '../../../src/engines/index.js';
import {
  buildInference,
  buildTrainingStep,
  countParameters,
  initialiseParameters,
} from '../../../src/graph/index.js';
import { createNetwork } from '../../../src/training/networks/index.js';
import { createStepRunner } from '../../../src/training/step-runner.js';
import { somePixels } from '../../graph/small-network.js';

const usual = { channels: 4, heightPx: 128, widthPx: 128, labelCount: 28 };

test('the residual networks have the sizes that they are made for', (t) => {
  t.is(countParameters(createNetwork('resnet-small', usual)), 317_548);
  t.is(countParameters(createNetwork('resnet-large', usual)), 6_325_132);
});

test('a residual network has the same parameters whatever the size of its frames', (t) => {
  for (const name of ['resnet-small', 'resnet-large']) {
    const sizes = [32, 47, 128, 512].map((widthPx) =>
      countParameters(createNetwork(name, { ...usual, widthPx })),
    );
    t.is(new Set(sizes).size, 1, name);
  }
});

for (const [name, channels, heightPx, widthPx, steps] of [
  ['resnet-small', 1, 16, 16, 40],
  ['resnet-small', 2, 33, 50, 40],
  ['resnet-small', 7, 64, 31, 40],
  ['resnet-large', 3, 33, 50, 24],
] as const) {
  test(`${name} learns and answers frames of ${channels} channels of ${heightPx} by ${widthPx} px`, async (t) => {
    const shape = { channels, heightPx, widthPx, labelCount: 3 };
    const network = createNetwork(name, shape);
    const step = buildTrainingStep(
      { ...network, layers: network.layers.filter(({ kind }) => kind !== 'dropout') },
      { batchSize: 3, framesAtOnce: 2 },
    );
    const graphRunner = await createOnnxGraphRunner(step.model, { threads: 1 });
    const runner = createStepRunner(
      { step, state: initialiseParameters(network, 1), seed: 1 },
      { runner: graphRunner },
    );
    const pixels = somePixels(3, network.inputShape);
    const batch = { pixels, targets: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), frameCount: 3 };
    const first = (await runner.run(batch, 1e-2)).loss;
    for (let more = 0; more < steps; more += 1) await runner.run(batch, 1e-2);
    const parameters = runner.parameters();
    const served = await createOnnxGraphRunner(buildInference(network, parameters), { threads: 1 });
    const { probabilities } = await served.run({
      pixels: { type: 'uint8', shape: [3, channels, heightPx, widthPx], values: pixels },
    });
    const last = await runner.run(batch, 1e-2);
    t.true(last.loss < first / 2, `${first} to ${last.loss}`);
    // What is served is what was trained: the frames of a batch say nothing about each other.
    for (const [at, trained] of last.probabilities.entries()) {
      t.true(Math.abs(trained - Number(probabilities!.values[at])) < 1e-5);
    }
    await Promise.all([graphRunner.close(), served.close()]);
  });
}

test('a residual network gives a dim frame what it gives a bright one', async (t) => {
  const network = createNetwork('resnet-small', { ...usual, heightPx: 32, widthPx: 32 });
  const model = buildInference(network, initialiseParameters(network, 1));
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  const answer = async (values: Uint8Array) =>
    (await runner.run({ pixels: { type: 'uint8', shape: [1, 4, 32, 32], values } }))[
      'probabilities'
    ]!.values;
  const bright = somePixels(1, network.inputShape).map((value) => value & 0xfe);
  const [full, half] = [await answer(bright), await answer(bright.map((value) => value / 2))];
  for (const [at, probability] of full.entries()) {
    t.true(Math.abs(Number(probability) - Number(half[at])) < 1e-3);
  }
  await runner.close();
});

test('a frame too small for a residual network is refused by the layer', (t) => {
  t.throws(() => countParameters(createNetwork('resnet-small', { ...usual, heightPx: 15 })), {
    message:
      'resnet-small, layer 7 (stages): expected at least 2 by 2 px to pool, got [N, 64, 1, 16]',
  });
});
