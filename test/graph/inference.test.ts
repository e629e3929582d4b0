import test from 'ava';
import { createOnnxGraphRunner, type GraphRunner } from '../../src/engines/index.js';
import { ModelProto } from '../../src/gen/onnx/onnx.js';
import { buildInference, buildTrainingStep, initialiseParameters } from '../../src/graph/index.js';
import { createStepRunner } from '../../src/training/step-runner.js';
import { smallNetwork, smallNetworkWithDropout, somePixels } from './small-network.js';

const frameBytes = 2 * 12 * 9;

async function classify(runner: GraphRunner, pixels: Uint8Array): Promise<Float32Array> {
  const frames = pixels.length / frameBytes;
  const { probabilities } = await runner.run({
    pixels: { type: 'uint8', shape: [frames, 2, 12, 9], values: pixels },
  });
  return probabilities!.values as Float32Array;
}

test('the served graph gives a frame the same probabilities alone and in any batch', async (t) => {
  const model = buildInference(smallNetwork, initialiseParameters(smallNetwork, 3));
  const runner = await createOnnxGraphRunner(model, { threads: 2 });
  const pixels = somePixels(5, smallNetwork.inputShape);
  const batch = await classify(runner, pixels);
  t.is(batch.length, 15);
  for (let frame = 0; frame < 5; frame += 1) {
    const alone = await classify(
      runner,
      pixels.slice(frame * frameBytes, (frame + 1) * frameBytes),
    );
    for (const [label, probability] of alone.entries()) {
      // Batches of other sizes may add in another order: one unit in float32's last place.
      t.true(Math.abs(probability - batch[frame * 3 + label]!) < 1e-7);
    }
  }
  await runner.close();
});

test('the served graph gives what the training graph gives', async (t) => {
  const parameters = initialiseParameters(smallNetwork, 3);
  const step = buildTrainingStep(smallNetwork, { batchSize: 4 });
  const training = await createOnnxGraphRunner(step.model, { threads: 1 });
  const serving = await createOnnxGraphRunner(buildInference(smallNetwork, parameters));
  const pixels = somePixels(4, smallNetwork.inputShape);
  const trained = await createStepRunner(
    { step, state: parameters, seed: 1 },
    { runner: training },
  ).run({ pixels, targets: new Float32Array(12), frameCount: 4 }, 1e-3);
  const served = await classify(serving, pixels);
  for (const [at, probability] of served.entries()) {
    t.true(Math.abs(probability - trained.probabilities[at]!) < 1e-6);
  }
  await Promise.all([training.close(), serving.close()]);
});

test('the served graph drops nothing', async (t) => {
  const parameters = initialiseParameters(smallNetwork, 3);
  t.deepEqual(
    buildInference(smallNetworkWithDropout, parameters),
    buildInference(smallNetwork, parameters),
  );
});

test('a missing or misshapen weight is refused by its name', (t) => {
  const parameters = new Map(initialiseParameters(smallNetwork, 3));
  parameters.set('dense2/bias', { shape: [4], values: new Float32Array(4) });
  t.throws(() => buildInference(smallNetwork, parameters), {
    message: 'expected dense2/bias [3], got [4]',
  });
  parameters.delete('dense2/bias');
  t.throws(() => buildInference(smallNetwork, parameters), {
    message: 'expected dense2/bias [3], got nothing',
  });
});

test('the served graph asks for no output that nobody takes: pooling with indices is slow', (t) => {
  const parameters = initialiseParameters(smallNetwork, 3);
  const { graph } = ModelProto.decode(buildInference(smallNetwork, parameters));
  const nodes = graph?.node ?? [];
  t.true(nodes.some(({ opType }) => opType === 'MaxPool'));
  t.true(nodes.every(({ output }) => output.length === 1));
});
