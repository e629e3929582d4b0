import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import { DomainError } from '../../src/errors.js';
import { buildInference, type Network } from '../../src/graph/index.js';
import { readOnnx, readTfjs, type TrainedNetwork, writeTfjs } from '../../src/interchange/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { somePixels } from '../graph/small-network.js';
import { answerOf, furthest, smallCnn, trained } from './trained.js';

const seedNetwork = createNetwork('seed-cnn', {
  channels: 4,
  heightPx: 36,
  widthPx: 40,
  labelCount: 28,
});
const cases: readonly TrainedNetwork[] = [trained(smallCnn), trained(seedNetwork)];

for (const model of cases) {
  const { name } = model.network;
  const pixels = somePixels(3, model.network.inputShape);

  test(`${name}: exported and imported again it answers the same to the bit`, async (t) => {
    const files = writeTfjs(readOnnx(buildInference(model.network, model.parameters)));
    const again = await readFiles(files);
    t.is(furthest(await answerOf(again, pixels), await answerOf(model, pixels)), 0);
    t.deepEqual(
      again.parameters,
      new Map([...again.parameters.keys()].map((key) => [key, model.parameters.get(key)!])),
    );
    t.is(again.parameters.size, model.parameters.size);
  });

  test(`${name}: TensorFlow.js loads the export and answers the same`, async (t) => {
    await tf.setBackend('cpu');
    const loaded = await tf.loadLayersModel(fromFiles(writeTfjs(model)));
    const [channels, heightPx, widthPx] = model.network.inputShape;
    const answer = tf.tidy(() => {
      const planes = tf.tensor4d(pixels, [3, channels, heightPx, widthPx], 'int32');
      return loaded.predict(planes.transpose([0, 2, 3, 1]).toFloat()) as tf.Tensor;
    });
    // Another runtime, another order of additions: seen are 3e-7.
    const away = furthest(await answer.data<'float32'>(), await answerOf(model, pixels));
    t.true(away <= 1e-5, `${away}`);
  });
}

test('what TensorFlow.js saves itself is read', async (t) => {
  await tf.setBackend('cpu');
  const made = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [9, 8, 2], filters: 3, kernelSize: 3, activation: 'relu' }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, activation: 'sigmoid', biasInitializer: 'glorotNormal' }),
    ],
  });
  let saved: tf.io.ModelArtifacts | undefined;
  await made.save({
    async save(artifacts) {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  const { modelTopology, weightSpecs, weightData } = saved!;
  const model = await readTfjs(
    JSON.stringify({ modelTopology, weightsManifest: [{ paths: ['a'], weights: weightSpecs }] }),
    async () => new Uint8Array(weightData as ArrayBuffer),
  );
  const pixels = somePixels(2, [2, 9, 8]);
  const expected = tf.tidy(() => {
    const planes = tf.tensor4d(pixels, [2, 2, 9, 8], 'int32').transpose([0, 2, 3, 1]);
    return made.predict(planes.toFloat().div(255)) as tf.Tensor;
  });
  const away = furthest(await answerOf(model, pixels), await expected.data<'float32'>());
  t.true(away <= 1e-6, `${away}`);
});

test('a model.json that does not say what is read names what is wrong', async (t) => {
  const files = writeTfjs(trained(smallCnn));
  const model = JSON.parse(files['model.json'] as string);
  const [group] = model.weightsManifest;
  const broken: readonly (readonly [string, RegExp])[] = [
    ['no json', /to be JSON/],
    ['{}', /layers format: modelTopology: .*; weightsManifest: /],
    [JSON.stringify({ ...model, modelTopology: {} }), /expected a Sequential or functional/],
    [
      withGroup({ weights: group.weights.slice(1) }),
      /expected the kernel of "conv1" as \[3, 3, 3, 4\], got nothing/,
    ],
    [withGroup({ paths: ['../secret'] }), /beside model\.json/],
    [
      withGroup({ weights: [{ ...group.weights[0], dtype: 'uint8' }] }),
      /expected weights of float32, got conv1\/kernel as uint8/,
    ],
    [
      withGroup({ weights: [{ ...group.weights[0], shape: [3, 3, 4, 4000] }] }),
      /the weight files end within conv1\/kernel/,
    ],
  ];
  for (const [text, message] of broken) {
    await t.throwsAsync(readFiles({ ...files, 'model.json': text }), {
      instanceOf: DomainError,
      code: 'option_invalid',
      message,
    });
  }

  function withGroup(change: object): string {
    return JSON.stringify({ ...model, weightsManifest: [{ ...group, ...change }] });
  }
});

test('a layer that TensorFlow has no form of here is refused, not left out', (t) => {
  const layers = [{ kind: 'averagePool', sizePx: 2 }, ...smallCnn.layers];
  const network = { ...smallCnn, layers } as unknown as Network;
  const padded = smallCnn.layers.map((layer) =>
    layer.kind === 'conv' ? { ...layer, isPadded: true } : layer,
  );
  for (const unfit of [network, { ...smallCnn, layers: padded } as Network]) {
    t.throws(() => writeTfjs({ network: unfit, parameters: new Map() }), {
      instanceOf: DomainError,
      code: 'unsupported',
      message: /supported: conv, dense, relu/,
    });
  }
});

type Files = Readonly<Record<string, Uint8Array | string>>;

function readFiles(files: Files): Promise<TrainedNetwork> {
  return readTfjs(files['model.json'] as string, async (name) => files[name] as Uint8Array);
}

/** The exported files as TensorFlow.js reads them. */
function fromFiles(files: Files): tf.io.IOHandler {
  const { modelTopology, weightsManifest } = JSON.parse(files['model.json'] as string);
  const [{ paths, weights }] = weightsManifest;
  const shards = paths.map((path: string) => files[path]) as Uint8Array[];
  const weightData = new Uint8Array(Buffer.concat(shards)).buffer;
  return { load: async () => ({ modelTopology, weightSpecs: weights, weightData }) };
}
