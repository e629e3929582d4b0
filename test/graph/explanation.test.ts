import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';
import {
  buildExplanation,
  buildInference,
  findLandmarks,
  initialiseParameters,
  labelsPerExplanation,
  type Network,
  type Parameters,
} from '../../src/graph/index.js';
import { createNetwork, networks } from '../../src/training/networks/index.js';
import { smallNetwork, smallNetworkWithDropout, somePixels } from './small-network.js';

const fileName = 'model.onnx';

async function explain(
  network: Network,
  parameters: Parameters,
  pixels: Uint8Array,
  labels: readonly number[],
) {
  const model = buildInference(network, parameters);
  const explanation = buildExplanation(network, { model, fileName });
  const runner = await createOnnxGraphRunner(explanation, { files: { [fileName]: model } });
  try {
    const values = BigInt64Array.from(labels, BigInt);
    const outputs = await runner.run({
      pixels: { type: 'uint8', shape: [1, ...network.inputShape], values: pixels },
      labels: { type: 'int64', shape: [labels.length], values },
    });
    const floats = (name: string) => outputs[name]!.values as Float32Array;
    return {
      size: explanation.byteLength,
      mapShape: outputs['maps']!.shape,
      maps: floats('maps'),
      embedding: floats('embedding'),
      probabilities: floats('probabilities'),
    };
  } finally {
    await runner.close();
  }
}

/** What the layers after the last feature map make of it, in plain loops and float64. */
function headOf(parameters: Parameters, features: Float64Array): Float64Array {
  const dense = (name: string, input: Float64Array) => {
    const { shape, values } = parameters.get(`${name}/kernel`)!;
    const units = shape[1]!;
    return Float64Array.from(parameters.get(`${name}/bias`)!.values, (bias, unit) =>
      input.reduce((sum, value, at) => sum + value * values[at * units + unit]!, bias),
    );
  };
  return dense(
    'dense2',
    dense('dense1', features).map((value) => Math.max(0, value)),
  );
}

/** The small network's features of a frame, `[C, h, w]`, in plain loops and float64. */
function featuresOf(parameters: Parameters, pixels: Uint8Array): Float64Array {
  const [channels, height, width] = smallNetwork.inputShape;
  const { values: kernel, shape } = parameters.get('conv1/kernel')!;
  const bias = parameters.get('conv1/bias')!.values;
  const filters = shape[0]!;
  const [rows, columns] = [height - 2, width - 2];
  const convolved = (filter: number, y: number, x: number) => {
    let sum = bias[filter]!;
    for (let c = 0; c < channels; c += 1) {
      for (let dy = 0; dy < 3; dy += 1) {
        for (let dx = 0; dx < 3; dx += 1) {
          const pixel = pixels[(c * height + y + dy) * width + x + dx]! / 255;
          sum += pixel * kernel[((filter * channels + c) * 3 + dy) * 3 + dx]!;
        }
      }
    }
    return Math.max(0, sum);
  };
  const [h, w] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  return Float64Array.from({ length: filters * h * w }, (_, at) => {
    const [filter, y, x] = [Math.floor(at / (h * w)), Math.floor(at / w) % h, at % w];
    const four = [0, 1, 2, 3].map((k) => convolved(filter, 2 * y + (k >> 1), 2 * x + (k & 1)));
    return Math.max(...four);
  });
}

test("a map is Grad-CAM's: held against differences of each logit, label by label", async (t) => {
  const parameters = initialiseParameters(smallNetwork, 5);
  const pixels = somePixels(1, smallNetwork.inputShape);
  const labels = [2, 0, 1, 2];
  const { maps, mapShape, embedding, probabilities } = await explain(
    smallNetwork,
    parameters,
    pixels,
    labels,
  );
  t.deepEqual(mapShape, [labelsPerExplanation, 5, 3]);
  const features = featuresOf(parameters, pixels);
  const cells = 15;
  const step = 1e-6;
  let positive = 0;
  for (const [row, label] of labels.entries()) {
    const importance = Array.from({ length: 4 }, (_, channel) => {
      let sum = 0;
      for (let cell = 0; cell < cells; cell += 1) {
        const moved = [step, -step].map((by) => {
          const other = features.slice();
          other[channel * cells + cell]! += by;
          return headOf(parameters, other)[label]!;
        });
        sum += (moved[0]! - moved[1]!) / (2 * step);
      }
      return sum / cells;
    });
    for (let cell = 0; cell < cells; cell += 1) {
      const evidence = importance.reduce(
        (sum, weight, channel) => sum + weight * features[channel * cells + cell]!,
        0,
      );
      const expected = Math.max(0, evidence);
      if (expected > 0) positive += 1;
      const got = maps[row * cells + cell]!;
      t.true(Math.abs(got - expected) < 1e-5, `label ${label}, cell ${cell}: ${got}, ${expected}`);
    }
  }
  t.true(positive > 10, 'maps of zeros would prove nothing');
  for (const [label, logit] of headOf(parameters, features).entries()) {
    t.true(Math.abs(probabilities[label]! - 1 / (1 + Math.exp(-logit))) < 1e-6);
  }
  t.is(embedding.length, 6);
});

test('where a network ends in a global mean, a map is the class-activation map', async (t) => {
  const network: Network = {
    name: 'mean',
    inputShape: [2, 12, 9],
    layers: [
      { kind: 'conv', name: 'conv1', filters: 4, kernelPx: 3 },
      { kind: 'relu' },
      { kind: 'maxPool', sizePx: 2 },
      { kind: 'globalAveragePool' },
      { kind: 'dropout', rate: 0.5 },
      { kind: 'dense', name: 'labels', units: 3 },
    ],
  };
  const parameters = initialiseParameters(network, 2);
  const pixels = somePixels(1, network.inputShape);
  const labels = [0, 1, 2, 2];
  const { maps, embedding } = await explain(network, parameters, pixels, labels);
  const features = featuresOf(parameters, pixels);
  const kernel = parameters.get('labels/kernel')!.values;
  for (const [row, label] of labels.entries()) {
    for (let cell = 0; cell < 15; cell += 1) {
      let evidence = 0;
      for (let channel = 0; channel < 4; channel += 1) {
        // The gradient of a mean over 15 cells is a fifteenth of the weight in each.
        evidence += (kernel[channel * 3 + label]! / 15) * features[channel * 15 + cell]!;
      }
      t.true(Math.abs(maps[row * 15 + cell]! - Math.max(0, evidence)) < 1e-6);
    }
  }
  const means = [0, 1, 2, 3].map(
    (channel) => features.slice(channel * 15, channel * 15 + 15).reduce((a, b) => a + b) / 15,
  );
  for (const [at, mean] of means.entries()) t.true(Math.abs(embedding[at]! - mean) < 1e-6);
});

test('where every stage is read, a map is of what the last planes say', async (t) => {
  const network: Network = {
    name: 'read',
    inputShape: [2, 12, 9],
    layers: [
      { kind: 'conv', name: 'conv1', filters: 4, kernelPx: 3 },
      { kind: 'relu' },
      { kind: 'stages', stages: [[], [{ kind: 'maxPool', sizePx: 2 }]] },
      { kind: 'dropout', rate: 0.5 },
      { kind: 'dense', name: 'labels', units: 3 },
    ],
  };
  const parameters = initialiseParameters(network, 2);
  const pixels = somePixels(1, network.inputShape);
  const labels = [0, 1, 2, 2];
  const { maps, mapShape, embedding } = await explain(network, parameters, pixels, labels);
  t.deepEqual(mapShape, [labelsPerExplanation, 5, 3]);
  const features = featuresOf(parameters, pixels);
  const kernel = parameters.get('labels/kernel')!.values;
  let positive = 0;
  for (const [row, label] of labels.entries()) {
    for (let cell = 0; cell < 15; cell += 1) {
      let evidence = 0;
      for (let channel = 0; channel < 4; channel += 1) {
        // Rows 8 to 11 of the kernel read the last means, 12 to 15 the last largest values,
        // whose gradient is all in one cell of 15.
        const [mean, largest] = [8, 12].map((from) => kernel[(from + channel) * 3 + label]!);
        evidence += ((mean! + largest!) / 15) * features[channel * 15 + cell]!;
      }
      if (evidence > 0) positive += 1;
      t.true(Math.abs(maps[row * 15 + cell]! - Math.max(0, evidence)) < 1e-6);
    }
  }
  t.true(positive > 10, 'maps of zeros would prove nothing');
  t.is(embedding.length, 16);
  for (let channel = 0; channel < 4; channel += 1) {
    const plane = features.slice(channel * 15, channel * 15 + 15);
    t.true(Math.abs(embedding[8 + channel]! - plane.reduce((a, b) => a + b) / 15) < 1e-6);
    t.true(Math.abs(embedding[12 + channel]! - Math.max(...plane)) < 1e-6);
  }
});

test('every network can be explained, from the weights of its served graph', async (t) => {
  const kinds = Object.keys(networks).flatMap((name) => [
    { name, sidePx: 64 },
    // Here the last planes of some networks are of a single pixel.
    { name, sidePx: 32 },
  ]);
  for (const { name, sidePx } of kinds) {
    const shape = { channels: 4, heightPx: sidePx, widthPx: sidePx, labelCount: 6 };
    const network = createNetwork(name, shape);
    const parameters = initialiseParameters(network, 1);
    const { featureShape, embeddingSize } = findLandmarks(network);
    const pixels = somePixels(1, network.inputShape);
    const one = await explain(network, parameters, pixels, [0, 1, 2, 3]);
    t.deepEqual(one.mapShape, [4, featureShape[1], featureShape[2]], name);
    t.is(one.embedding.length, embeddingSize, name);
    t.true(one.size < 64 * 1024, `${name}: ${one.size} bytes hold no weights`);
    const other = await explain(network, parameters, pixels, [3, 3, 2, 0]);
    const cells = featureShape[1] * featureShape[2];
    const mapOf = ({ maps }: { maps: Float32Array }, row: number) =>
      maps.slice(row * cells, (row + 1) * cells);
    t.deepEqual(mapOf(other, 0), mapOf(one, 3), `${name}: a label's map is the same in any place`);
    t.deepEqual(mapOf(other, 3), mapOf(one, 0), name);
  }
});

test('an explanation drops nothing, and refuses a graph of other weights', async (t) => {
  const parameters = initialiseParameters(smallNetwork, 3);
  const model = buildInference(smallNetwork, parameters);
  t.deepEqual(
    buildExplanation(smallNetworkWithDropout, { model, fileName }),
    buildExplanation(smallNetwork, { model, fileName }),
  );
  const wider: Network = { ...smallNetwork, inputShape: [2, 12, 11] };
  const error = t.throws(() => buildExplanation(wider, { model, fileName }), {
    instanceOf: DomainError,
  });
  t.is(error.code, 'option_invalid');
  t.regex(error.message, /^expected dense1\/kernel \[80, 6\], got \[60, 6\]$/);
});
