import test, { type ExecutionContext } from 'ava';
import {
  createFakeEngine,
  createOnnxEngine,
  createOnnxGraphRunner,
  type Engine,
} from '../../src/engines/index.js';
import { AttributeProto_AttributeType, ModelProto, NodeProto } from '../../src/gen/onnx/onnx.js';
import { buildInference, initialiseParameters, type Network } from '../../src/graph/index.js';
import { silentLog } from '../../src/log.js';
import {
  createGoldenFrame,
  createRegistry,
  type ImportDraft,
  openModelStore,
} from '../../src/models/index.js';
import { smallNetwork } from '../graph/small-network.js';
import { makeFolder } from '../make-folder.js';

/** The network of the tests as a model made elsewhere; `gain` is taken back by its dense layer. */
function draftOf(gain = 1, network: Network = smallNetwork): ImportDraft {
  const parameters = new Map(initialiseParameters(network, 1));
  const scale = (name: string, by: number) => {
    const { shape, values } = parameters.get(name)!;
    parameters.set(name, { shape, values: values.map((value) => value * by) });
  };
  if (gain !== 1) {
    scale('conv1/kernel', gain);
    scale('dense1/kernel', 1 / gain);
  }
  const labels = ['Nucleus', 'Cytosol', 'Golgi'];
  const [channels, heightPx, widthPx] = network.inputShape;
  return {
    name: 'cells',
    onnx: buildInference(network, parameters),
    labels,
    inputSpec: {
      channels: ['red', 'green', 'blue'].slice(0, channels),
      heightPx,
      widthPx,
      resize: 'bilinear',
    },
    thresholds: labels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
  };
}

/**
 * The same with a second convolution, which takes what the first gives four times over: joined by
 * two operators that the CPU has in half precision, so that the values are truly halves there
 * (between two that it has not, or around a single one, the runtime leaves out the casts).
 */
function draftOfTwo(gain: number): ImportDraft {
  const network: Network = {
    ...smallNetwork,
    layers: [
      { kind: 'conv', name: 'conv1', filters: 4, kernelPx: 3 },
      { kind: 'conv', name: 'conv2', filters: 3, kernelPx: 1 },
      { kind: 'flatten' },
      { kind: 'dense', name: 'dense1', units: 3 },
    ],
  };
  const draft = draftOf(gain, network);
  const model = ModelProto.decode(draft.onnx);
  const { node, initializer } = model.graph!;
  const second = node.findIndex(({ input }) => input[1] === 'conv2/kernel');
  const twice = (from: string, to: string) =>
    NodeProto.fromPartial({
      opType: 'Concat',
      input: [from, from],
      output: [to],
      attribute: [{ name: 'axis', type: AttributeProto_AttributeType.INT, i: 1 }],
    });
  const joins = [twice(node[second]!.input[0]!, 'twice'), twice('twice', 'fourTimes')];
  node[second]!.input[0] = 'fourTimes';
  node.splice(second, 0, ...joins);
  const kernel = initializer.find(({ name }) => name === 'conv2/kernel')!;
  kernel.dims = [3, 16, 1, 1];
  // Each filter's four weights, four times.
  const bytes = Buffer.from(kernel.rawData!);
  const filters = [0, 16, 32].map((at) => bytes.subarray(at, at + 16));
  kernel.rawData = Buffer.concat(filters.flatMap((filter) => [filter, filter, filter, filter]));
  return { ...draft, onnx: ModelProto.encode(model).finish() };
}

/** A registry with one imported version that is promoted, and the warnings of its log. */
async function serve(t: ExecutionContext, engine: Engine, draft: ImportDraft) {
  const warnings: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
  const store = await openModelStore(await makeFolder(t));
  const registry = createRegistry({ batcher: { batchSizes: [1, 4] } }, { engine, store, log });
  t.teardown(async () => {
    await registry.close();
    await engine.close();
  });
  await registry.import(draft);
  return { registry, warnings, model: await registry.promote('cells', 1) };
}

const halfEngine = () => createOnnxEngine({ threads: 1, precision: 'half' });

test('a version that bears half precision is served in it, and says so', async (t) => {
  const { registry, warnings, model } = await serve(t, await halfEngine(), draftOf());
  t.is(model.state, 'ready');
  t.is(model.precision, 'half');
  t.is(model.precisionNote, '');
  t.deepEqual(warnings, []);
  t.like(registry.loaded()[0], { precision: 'half', device: 'onnxruntime/cpu' });
  const handle = await registry.acquire('cells');
  t.is(handle.precision, 'half');
  handle.release();
});

test('one whose values leave the range of half precision, if only on bright frames, is served in full', async (t) => {
  // Its weights fit, and what its golden frame makes of them; white pixels give more than 65,504.
  const { model: small } = await serve(t, await halfEngine(), draftOfTwo(1));
  t.is(small.precision, 'half', small.precisionNote);
  const { registry, warnings, model } = await serve(t, await halfEngine(), draftOfTwo(1e5));
  t.is(model.state, 'ready', model.failure);
  t.is(model.precision, 'full');
  t.regex(
    model.precisionNote,
    /^in half precision its white frame gave NaN for label \d of 3, in full 0\.\d+; expected them within 0\.002$/,
  );
  t.like(warnings[0], {
    model: 'cells@1',
    precision: 'full',
    device: 'onnxruntime/cpu',
    reason: model.precisionNote,
  });
  t.is((await registry.get('cells')).precisionNote, model.precisionNote);
});

test('one that only loses digits is held against the tolerance too', async (t) => {
  // The last layer is in full precision: it magnifies what the one before it lost, around
  // the answer of the golden frame.
  const draft = draftOf();
  const runner = await createOnnxGraphRunner(draft.onnx, { threads: 1 });
  const golden = createGoldenFrame(draft.inputSpec);
  const shape = [1, ...smallNetwork.inputShape];
  const { probabilities } = await runner.run({ pixels: { type: 'uint8', shape, values: golden } });
  await runner.close();
  const parameters = new Map(initialiseParameters(smallNetwork, 1));
  const { shape: kernelShape, values } = parameters.get('dense2/kernel')!;
  const factor = 5000;
  parameters.set('dense2/kernel', {
    shape: kernelShape,
    values: values.map((value) => value * factor),
  });
  const logits = Float32Array.from(probabilities?.values as Float32Array, (p) =>
    Math.log(p / (1 - p)),
  );
  parameters.set('dense2/bias', { shape: [3], values: logits.map((logit) => -logit * factor) });
  const onnx = buildInference(smallNetwork, parameters);
  const { model } = await serve(t, await halfEngine(), { ...draft, onnx });
  t.is(model.state, 'ready', model.failure);
  t.is(model.precision, 'full');
  t.regex(
    model.precisionNote,
    /^in half precision its golden frame .* expected them within 0\.002$/,
  );
});

test('one with nothing to gain, or a weight too large, is served in full, with the reason', async (t) => {
  const layers = [{ kind: 'flatten' }, { kind: 'dense', name: 'dense1', units: 3 }] as const;
  const plain = draftOf(1, { ...smallNetwork, layers });
  const { model } = await serve(t, await halfEngine(), plain);
  t.is(model.precision, 'full');
  t.is(model.precisionNote, 'no half precision: it has no convolution or product to run in half');
  const { model: large } = await serve(t, await halfEngine(), draftOf(1e6));
  t.is(large.precision, 'full');
  t.regex(large.precisionNote, /^no half precision: conv1\/kernel has .* ends at 65504$/);
});

test('where full precision is wanted nothing is loaded twice and nothing is said', async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  let loads = 0;
  const counted: Engine = {
    ...engine,
    load: (spec) => {
      loads += 1;
      return engine.load(spec);
    },
  };
  const { model, warnings } = await serve(t, counted, draftOf());
  t.is(model.precision, 'full');
  t.is(model.precisionNote, '');
  t.deepEqual(warnings, []);
  t.is(loads, 2, 'once to import it, once to serve it');
});

test('a version that would leave its device in half precision stays in full', async (t) => {
  const engine = createFakeEngine();
  const split: Engine = {
    ...engine,
    precision: 'half',
    async load(spec) {
      const session = await engine.load(spec);
      return spec.precision === 'half' ? { ...session, device: 'fake/gpu+cpu' } : session;
    },
  };
  const { model } = await serve(t, split, draftOf());
  t.is(model.precision, 'full');
  t.is(model.precisionNote, 'in half precision it would run on fake/gpu+cpu, not on fake/cpu');
});
