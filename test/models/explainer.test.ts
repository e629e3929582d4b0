import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import {
  createEnginePool,
  createFakeEngine,
  createOnnxEngine,
  createOnnxGraphRunner,
  type Engine,
  withGraphs,
} from '../../src/engines/index.js';
import { startOnnxWorker } from '../../src/engines/onnxruntime-engine.js';
import { DomainError } from '../../src/errors.js';
import {
  buildExplanation,
  buildInference,
  findLandmarks,
  initialiseParameters,
  type Network,
} from '../../src/graph/index.js';
import { createGoldenFrame, createRegistry, openModelStore } from '../../src/models/index.js';
import { silentLog } from '../../src/telemetry/index.js';
import { makeFolder } from '../make-folder.js';
import { inputSpec } from './model-fixtures.js';

const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
const network: Network = {
  name: 'tiny',
  inputShape: [4, 8, 8],
  layers: [
    { kind: 'conv', name: 'conv', filters: 5, kernelPx: 3 },
    { kind: 'relu' },
    { kind: 'globalAveragePool' },
    { kind: 'dense', name: 'labels', units: labels.length },
  ],
};
const model = buildInference(network, initialiseParameters(network, 1));
const explain = buildExplanation(network, { model, fileName: 'model.onnx' });
const frame = createGoldenFrame(inputSpec);

/** What the graph of explanations gives in a runner of its own. */
async function expectedMaps(indices: readonly number[]) {
  const runner = await createOnnxGraphRunner(explain, { files: { 'model.onnx': model } });
  const { maps } = await runner.run({
    pixels: { type: 'uint8', shape: [1, 4, 8, 8], values: frame },
    labels: { type: 'int64', shape: [4], values: BigInt64Array.from(indices, BigInt) },
  });
  await runner.close();
  return Array.from({ length: 4 }, (_, at) => maps!.values.slice(at * 36, (at + 1) * 36));
}

/** A registry with cells@1 that explains itself and cells@2 that does not. */
async function setUp(t: ExecutionContext, engine: Engine) {
  t.teardown(() => engine.close());
  const store = await openModelStore(await makeFolder(t));
  const session = await engine.load({ model, inputShape: [4, 8, 8], labelCount: labels.length });
  const { probabilities } = await session.run(frame.slice(), 1);
  await session.close();
  const { featureShape, featureBox, embeddingSize } = findLandmarks(network);
  const [, heightPx, widthPx] = featureShape;
  const draft = {
    ...{ name: 'cells', model, labels, inputSpec, scores: null, runId: null },
    thresholds: labels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
    datasetFingerprint: null,
    parent: null,
    golden: { frame, output: probabilities },
  };
  const spec = { embeddingSize, heightPx, widthPx, box: featureBox };
  await store.publish({ ...draft, explanation: { model: explain, spec } });
  await store.publish(draft);
  const registry = createRegistry(
    { batcher: { batchSizes: [1] } },
    { engine, store, log: silentLog },
  );
  t.teardown(() => registry.close());
  return registry;
}

test.serial('labels are explained beside serving, four a run, in the order asked', async (t) => {
  const engines = [await createOnnxEngine({ threads: 1 }), await createOnnxEngine({ threads: 1 })];
  const pool = createEnginePool(engines as [Engine, Engine]);
  const handle = await (await setUp(t, pool)).acquire('cells@1');
  t.teardown(handle.release);
  const before = frame.slice();
  const [explained, row] = await Promise.all([
    handle.explainer.explain({ pixels: frame, labelIndices: [5, 0, 3, 2, 4] }),
    handle.batcher.submit(frame),
  ]);
  t.deepEqual(frame, before, 'the pixels are not given away');
  t.is(row.probabilities.length, 6);
  const expected = [...(await expectedMaps([5, 0, 3, 2])), (await expectedMaps([4, 0, 0, 0]))[0]];
  t.deepEqual(explained.maps, expected as typeof explained.maps);
  t.true(explained.maps.some((map) => map.some((value) => value > 0)));
  t.is(explained.embedding.length, 5);
  t.is(explained.spec.widthPx, 6);
  t.true(explained.runMs > 0);

  const alone = await handle.explainer.explain({ pixels: frame, labelIndices: [] });
  t.deepEqual(alone.embedding, explained.embedding);
  t.deepEqual(alone.maps, []);
});

test.serial(
  'a version made elsewhere, and an engine without graphs, say unsupported',
  async (t) => {
    const registry = await setUp(t, await createOnnxEngine({ threads: 1 }));
    const made = await registry.acquire('cells@2');
    t.teardown(made.release);
    const error = t.throws(() => made.explainer.assertExplains(), { instanceOf: DomainError });
    t.is(error.code, 'unsupported');
    t.regex(error.message, /^cells@2 gives neither explanations nor embeddings/);
    const asked = made.explainer.explain({ pixels: frame, labelIndices: [0] });
    t.is((await t.throwsAsync(asked, { instanceOf: DomainError })).code, 'unsupported');

    const plain = createFakeEngine();
    const fake = await setUp(t, plain);
    const handle = await fake.acquire('cells@1');
    t.teardown(handle.release);
    t.throws(() => handle.explainer.assertExplains(), {
      message: 'the engine fake gives no explanations',
    });
  },
);

test.serial('only so many explanations wait, and one whose caller left is not run', async (t) => {
  const registry = await setUp(t, await createOnnxEngine({ threads: 1 }));
  const { explainer, release } = await registry.acquire('cells@1');
  t.teardown(release);
  const leaving = new AbortController();
  const asked = Array.from({ length: 16 }, (_, at) =>
    explainer.explain({
      pixels: frame,
      labelIndices: [0],
      signal: at === 15 ? leaving.signal : undefined,
    }),
  );
  const tooMany = explainer.explain({ pixels: frame, labelIndices: [0] });
  leaving.abort(new DomainError('cancelled', 'the caller left'));
  t.is((await t.throwsAsync(tooMany, { instanceOf: DomainError })).code, 'overloaded');
  t.is((await t.throwsAsync(asked[15]!, { instanceOf: DomainError })).code, 'cancelled');
  const first = await Promise.race([asked[14], Promise.resolve('still waits')]);
  t.is(first, 'still waits', 'who leaves is answered before those who wait');
  const settled = await Promise.allSettled(asked);
  t.is(settled.filter(({ status }) => status === 'fulfilled').length, 15);
  const last = settled[15];
  t.is(last?.status === 'rejected' ? last.reason.code : '', 'cancelled');
  const again = await explainer.explain({ pixels: frame, labelIndices: [0] });
  t.is(again.maps.length, 1, 'there is room again');
});

test.serial('explanations come back after the worker died', async (t) => {
  const workers: Worker[] = [];
  const engine = await createOnnxEngine(
    { threads: 1, restartDelayMs: 5 },
    {
      startWorker(settings) {
        const worker = startOnnxWorker(settings);
        workers.push(worker);
        return worker;
      },
    },
  );
  const registry = await setUp(t, engine);
  const { explainer, release } = await registry.acquire('cells@1');
  t.teardown(release);
  const { maps } = await explainer.explain({ pixels: frame, labelIndices: [1] });
  await workers[0]?.terminate();
  const again = await explainer.explain({ pixels: frame, labelIndices: [1] });
  t.deepEqual(again.maps, maps);
  t.is(workers.length, 2);
});

test.serial('where models run elsewhere, explanations run here, once somebody asks', async (t) => {
  let started = 0;
  const engine = withGraphs(createFakeEngine(), () => {
    started += 1;
    return createOnnxEngine({ threads: 1 });
  });
  t.is(
    withGraphs(engine, () => t.fail() as never),
    engine,
    'what runs graphs is left as it is',
  );
  const registry = await setUp(t, engine);
  const { explainer, batcher, release } = await registry.acquire('cells@1');
  t.teardown(release);
  await batcher.submit(frame);
  t.is(started, 0);
  const ask = () => explainer.explain({ pixels: frame, labelIndices: [2] });
  const [one, two] = await Promise.all([ask(), ask()]);
  t.deepEqual(one.maps, (await expectedMaps([2, 0, 0, 0])).slice(0, 1) as typeof one.maps);
  t.deepEqual(two.maps, one.maps);
  t.is(started, 1);
});
