import test, { type ExecutionContext } from 'ava';
import {
  createFakeEngine,
  createOnnxEngine,
  createOnnxGraphRunner,
  type Engine,
} from '../../src/engines/index.js';
import { buildInference, initialiseParameters, type Network } from '../../src/graph/index.js';
import {
  createGoldenFrame,
  createRegistry,
  type ImportDraft,
  openModelStore,
} from '../../src/models/index.js';
import { silentLog } from '../../src/telemetry/index.js';
import { smallNetwork } from '../graph/small-network.js';
import { tempFolder } from './model-fixtures.js';

/** The network of the tests as a model made elsewhere; `gain` is taken back by its last layer. */
function draftOf(gain = 1, network: Network = smallNetwork): ImportDraft {
  const parameters = new Map(initialiseParameters(network, 1));
  const scale = (name: string, by: number) => {
    const { shape, values } = parameters.get(name)!;
    parameters.set(name, { shape, values: values.map((value) => value * by) });
  };
  if (gain !== 1) {
    scale('conv1/kernel', gain);
    scale('dense1/kernel', gain);
    scale('dense2/kernel', 1 / gain ** 2);
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

/** A registry with one imported version that is promoted, and the warnings of its log. */
async function serve(t: ExecutionContext, engine: Engine, draft: ImportDraft) {
  const warnings: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
  const store = await openModelStore(await tempFolder(t));
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

test('one whose values leave the range of half precision is served in full, with the reason', async (t) => {
  // Its weights fit; a dense layer over bright pixels gives more than 65,504.
  const { registry, warnings, model } = await serve(t, await halfEngine(), draftOf(3000));
  t.is(model.state, 'ready', model.failure);
  t.is(model.precision, 'full');
  t.regex(
    model.precisionNote,
    /^in half precision its golden frame gave .* for label \d of 3, in full 0\.\d+; expected them within 0\.005$/,
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
    /^in half precision its golden frame .* expected them within 0\.005$/,
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
