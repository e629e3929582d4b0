// Every engine passes the same tests of the Engine interface.
import {
  createEnginePool,
  createFakeEngine,
  createOnnxEngine,
  fakeProbabilities,
} from '../../src/engines/index.js';
import { type EngineUnderTest, testEngine } from './engine-suite.js';
import { tinyModel, tinyProbabilities } from './tiny-models.js';

const inputShape = [4, 8, 8] as const;

testEngine({
  name: 'fake',
  open: async () => createFakeEngine(),
  specs: [
    { model: new Uint8Array(0), inputShape, labelCount: 4 },
    { model: new Uint8Array(0), inputShape, labelCount: 5 },
  ],
  expected: (model, pixels) => fakeProbabilities(pixels, 4 + model),
  tolerance: 0,
  unfit: [],
});

const spec = { model: tinyModel(), inputShape, labelCount: 4 };
/** What an engine that reads ONNX is tested with. */
const onnx: Omit<EngineUnderTest, 'name' | 'open'> = {
  specs: [spec, { ...spec, model: tinyModel({ bias: 1 }) }],
  expected: (model, pixels) => tinyProbabilities(pixels, { bias: model }),
  tolerance: 1e-6, // float32 here, double there
  unfit: [
    { spec: { ...spec, model: new Uint8Array(50) }, message: /^the runtime refused the model: / },
    {
      spec: { ...spec, inputShape: [4, 16, 16] },
      message: /^expected input "pixels" to be uint8 \[N, 4, 16, 16\] .* got uint8 \[N, 4, 8, 8\]$/,
    },
    { spec: { ...spec, labelCount: 28 }, message: /^expected output .* got float32 \[N, 4\]$/ },
  ],
};

testEngine({ ...onnx, name: 'onnxruntime', open: () => createOnnxEngine({ threads: 1 }) });
testEngine({
  ...onnx,
  name: 'onnxruntime, two in a pool',
  async open() {
    const start = () => createOnnxEngine({ threads: 1 });
    return createEnginePool([await start(), await start()]);
  },
});
