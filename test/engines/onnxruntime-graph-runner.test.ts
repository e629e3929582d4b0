import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { buildInference, initialiseParameters } from '../../src/graph/index.js';
import { smallNetwork, somePixels } from '../graph/small-network.js';

const model = buildInference(smallNetwork, initialiseParameters(smallNetwork, 1));
const pixels = {
  type: 'uint8',
  shape: [1, 2, 12, 9],
  values: somePixels(1, smallNetwork.inputShape),
} as const;

test('bytes that are no model are refused with model_failed', async (t) => {
  for (const bytes of [
    new Uint8Array(0),
    new TextEncoder().encode('no model'),
    model.slice(0, 500),
  ]) {
    await t.throwsAsync(createOnnxGraphRunner(bytes), { code: 'model_failed' });
  }
});

test('missing and unknown inputs are named', async (t) => {
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  await t.throwsAsync(runner.run({ frames: pixels }), {
    code: 'option_invalid',
    message: "expected the graph's inputs: pixels is missing, frames is unknown",
  });
  await runner.close();
});

test('values that do not fill their shape are refused', async (t) => {
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  await t.throwsAsync(runner.run({ pixels: { ...pixels, shape: [2, 2, 12, 9] } }), {
    code: 'option_invalid',
    message: 'expected 432 values for the shape [2, 2, 12, 9], got 216',
  });
  await runner.close();
});

test('a shape that the graph does not take is refused, and the runner goes on', async (t) => {
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  await t.throwsAsync(runner.run({ pixels: { ...pixels, shape: [1, 1, 12, 18] } }), {
    code: 'model_failed',
  });
  t.is((await runner.run({ pixels }))['probabilities']!.values.length, 3);
  await runner.close();
});

test('an output goes into the buffer that is given for it', async (t) => {
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  const expected = (await runner.run({ pixels }))['probabilities']!;
  const into = { type: 'float32', shape: [1, 3], values: new Float32Array(3) } as const;
  const results = await runner.run({ pixels }, { probabilities: into });
  t.is(results['probabilities'], into);
  t.deepEqual(into.values, expected.values);
  await runner.close();
});

test('an output that the graph does not have is refused', async (t) => {
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  await t.throwsAsync(runner.run({ pixels }, { logits: { ...pixels } }), {
    code: 'option_invalid',
    message: "expected the graph's outputs: logits is unknown",
  });
  await runner.close();
});
