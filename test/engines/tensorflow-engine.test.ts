import test from 'ava';
import {
  createOnnxEngine,
  createTensorflowEngine,
  type TensorflowEngineOptions,
} from '../../src/engines/index.js';
import { buildInference } from '../../src/graph/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { somePixels } from '../graph/small-network.js';
import { furthest, smallCnn, trained } from '../interchange/trained.js';
import { type EngineUnderTest, testEngine } from './engine-suite.js';
import { forward } from './forward.js';
import { nativeTensorflow, skipNative } from './native-tensorflow.js';
import { tinyModel } from './tiny-models.js';

const models = [trained(smallCnn, 1), trained(smallCnn, 2)] as const;
const inputShape = smallCnn.inputShape;
const specs = models.map(({ network, parameters }) => ({
  model: buildInference(network, parameters),
  inputShape,
  labelCount: 4,
}));
const [spec, other] = specs as [(typeof specs)[number], (typeof specs)[number]];

const suite: Omit<EngineUnderTest, 'name' | 'open'> = {
  specs: [spec, other],
  expected: (model, pixels) => forward(models[model], pixels),
  tolerance: 1e-5, // float32 there, double here
  unfit: [
    { spec: { ...spec, model: new Uint8Array(50) }, message: /^the runtime refused the model: / },
    {
      spec: { ...spec, model: tinyModel() },
      message: /^the runtime refused the model: node 2 \(ReduceMax\).* supported: .*Conv/,
    },
    {
      spec: { ...spec, inputShape: [3, 16, 16] },
      message:
        /^expected input "pixels" to be uint8 \[N, 3, 16, 16\] .* got uint8 \[N, 3, 14, 12\]$/,
    },
    { spec: { ...spec, labelCount: 28 }, message: /^expected output .* got float32 \[N, 4\]$/ },
  ],
};

const own = ['@tensorflow/tfjs'];
const kinds: readonly (readonly [string, string, Partial<TensorflowEngineOptions>])[] = [
  ['tensorflow (JavaScript)', 'tensorflow/cpu (js)', { packages: own, canUseWasm: false }],
  ['tensorflow (WebAssembly)', 'tensorflow/wasm', { packages: own }],
  ...(nativeTensorflow === null
    ? []
    : [['tensorflow (native)', 'tensorflow/cpu', { packages: [nativeTensorflow] }] as const]),
];

for (const [name, device, options] of kinds) {
  testEngine({ ...suite, name, open: () => createTensorflowEngine(options) });

  test(`${name}: it says where it runs`, async (t) => {
    const engine = await createTensorflowEngine(options);
    t.teardown(() => engine.close());
    t.is((await engine.load(spec)).device, device);
  });
}

if (nativeTensorflow === null) skipNative('tensorflow (native): what every engine does');

for (const [name, , options] of kinds.slice(1)) {
  test(`${name}: the first network at its full size answers as in ONNX Runtime`, async (t) => {
    const shape = { channels: 4, heightPx: 128, widthPx: 128, labelCount: 28 };
    const { network, parameters } = trained(createNetwork('seed-cnn', shape));
    const seed = {
      model: buildInference(network, parameters),
      inputShape: network.inputShape,
      labelCount: 28,
    };
    const engines = [await createTensorflowEngine(options), await createOnnxEngine()] as const;
    t.teardown(() => Promise.all(engines.map((engine) => engine.close())));
    const pixels = somePixels(3, network.inputShape);
    const answers = await Promise.all(
      engines.map(async (engine) => {
        const session = await engine.load(seed);
        const { probabilities, runMs } = await session.run(pixels.slice(), 3);
        t.log(`${session.device}: ${runMs.toFixed(0)} ms for 3 frames`);
        return probabilities;
      }),
    );
    const away = furthest(answers[0] ?? [], answers[1] ?? []);
    t.log(`furthest apart: ${away}`);
    t.true(away <= 1e-4, `${away}`);
  });
}

test('without TensorFlow the engine says what was looked for and what to install', async (t) => {
  const packages = ['@tensorflow/tfjs-node-none', '@tensorflow/tfjs-none'];
  await t.throwsAsync(createTensorflowEngine({ packages }), {
    code: 'unsupported',
    message:
      /tfjs-node-none: not installed; @tensorflow\/tfjs-none: not installed\); install it with: npm i .*@tensorflow\/tfjs-node-gpu/,
  });
});
