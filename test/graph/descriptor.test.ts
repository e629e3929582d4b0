import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { buildInference, descriptorParts, initialiseParameters } from '../../src/graph/index.js';
import { smallNetwork, somePixels } from './small-network.js';

const frames = 3;
const [channels, heightPx, widthPx] = smallNetwork.inputShape;
const plane = heightPx * widthPx;
const pixels = somePixels(frames, smallNetwork.inputShape);
const parameters = initialiseParameters(smallNetwork, 3);

async function run(options: Parameters<typeof buildInference>[2]) {
  const runner = await createOnnxGraphRunner(buildInference(smallNetwork, parameters, options));
  const shape = [frames, ...smallNetwork.inputShape];
  try {
    return await runner.run({ pixels: { type: 'uint8', shape, values: pixels } });
  } finally {
    await runner.close();
  }
}

test('a descriptor is mean and deviation of each channel, then the activations', async (t) => {
  const { descriptor } = await run({ withDescriptor: true });
  const { ofPixels, ofEmbedding } = descriptorParts(smallNetwork);
  t.deepEqual([ofPixels, ofEmbedding], [4, 6]);
  t.deepEqual(descriptor?.shape, [frames, 10]);
  for (let frame = 0; frame < frames; frame += 1) {
    const row = Array.from({ length: 10 }, (_, at) => Number(descriptor!.values[frame * 10 + at]));
    for (let channel = 0; channel < channels; channel += 1) {
      const start = (frame * channels + channel) * plane;
      const values = Array.from(pixels.subarray(start, start + plane), (value) => value / 255);
      const mean = values.reduce((sum, value) => sum + value, 0) / plane;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / plane;
      t.true(Math.abs(row[channel]! - mean) < 1e-6);
      t.true(Math.abs(row[channels + channel]! - Math.sqrt(variance)) < 1e-6);
    }
    // ReLU's: none is below zero, and every frame excites some.
    t.true(row.slice(4).every((value) => value >= 0));
    t.true(row.slice(4).some((value) => value > 0));
  }
});

test('a distance is the length of the whitened descriptor, and changes no probability', async (t) => {
  const size = 10;
  const kernel = Float32Array.from({ length: size * size }, (_, at) => Math.sin(at * 1.7));
  const bias = Float32Array.from({ length: size }, (_, at) => Math.cos(at));
  const plain = await run({});
  const { distance, descriptor, probabilities } = await run({
    withDescriptor: true,
    whitening: { kernel, bias },
  });
  t.deepEqual(Object.keys(plain), ['probabilities']);
  t.deepEqual(probabilities, plain['probabilities']);
  t.deepEqual(distance?.shape, [frames]);
  for (let frame = 0; frame < frames; frame += 1) {
    const whitened = Array.from(bias, (shift, output) => {
      let sum = shift;
      for (let input = 0; input < size; input += 1) {
        sum += Number(descriptor!.values[frame * size + input]) * kernel[input * size + output]!;
      }
      return sum;
    });
    // Sums of ten float32 products of size 1.
    t.true(Math.abs(Number(distance!.values[frame]) - Math.hypot(...whitened)) < 1e-5);
  }
});
