import test from 'ava';
import { createOnnxEngine, createTensorflowEngine } from '../../src/engines/index.js';
import { buildInference } from '../../src/graph/index.js';
import { silentLog } from '../../src/log.js';
import { createRegistry, openModelStore } from '../../src/models/index.js';
import { smallCnn, trained } from '../interchange/trained.js';
import { makeFolder } from '../make-folder.js';

test('a version whose golden frame ONNX Runtime recorded is served by TensorFlow', async (t) => {
  const store = await openModelStore(await makeFolder(t));
  const open = async (engine: Awaited<ReturnType<typeof createOnnxEngine>>) => {
    const registry = createRegistry(
      { batcher: { batchSizes: [1, 2] } },
      { engine, store, log: silentLog },
    );
    t.teardown(async () => {
      await registry.close();
      await engine.close();
    });
    return registry;
  };
  const { network, parameters } = trained(smallCnn);
  const labels = ['Nucleus', 'Cytosol', 'Golgi', 'Centrosome'];
  const inputSpec = {
    channels: ['red', 'green', 'blue'],
    heightPx: 14,
    widthPx: 12,
    resize: 'bilinear',
  } as const;
  await (await open(await createOnnxEngine({ threads: 1 }))).import({
    name: 'cells',
    onnx: buildInference(network, parameters),
    labels,
    inputSpec,
    thresholds: labels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
  });
  const registry = await open(await createTensorflowEngine({ packages: ['@tensorflow/tfjs'] }));
  const promoted = await registry.promote('cells', 1);
  t.is(promoted.state, 'ready');
  t.is(promoted.device, 'tensorflow/wasm');
});
