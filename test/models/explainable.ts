import type { ExecutionContext } from 'ava';
import { createOnnxGraphRunner, type Engine } from '../../src/engines/index.js';
import {
  buildExplanation,
  buildInference,
  findLandmarks,
  initialiseParameters,
  type Network,
} from '../../src/graph/index.js';
import { silentLog } from '../../src/log.js';
import { createGoldenFrame, createRegistry, openModelStore } from '../../src/models/index.js';
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

/** Pixels of a frame of `inputSpec`. */
export const goldenFrame = createGoldenFrame(inputSpec);

/** What the graph of explanations gives in a runner of its own. */
export async function expectedMaps(indices: readonly number[]) {
  const runner = await createOnnxGraphRunner(explain, { files: { 'model.onnx': model } });
  const { maps } = await runner.run({
    pixels: { type: 'uint8', shape: [1, 4, 8, 8], values: goldenFrame },
    labels: { type: 'int64', shape: [4], values: BigInt64Array.from(indices, BigInt) },
  });
  await runner.close();
  return Array.from({ length: 4 }, (_, at) => maps!.values.slice(at * 36, (at + 1) * 36));
}

/** A registry with cells@1 that explains itself and cells@2 that does not. */
export async function openExplainable(t: ExecutionContext, engine: Engine) {
  t.teardown(() => engine.close());
  const store = await openModelStore(await makeFolder(t));
  const session = await engine.load({ model, inputShape: [4, 8, 8], labelCount: labels.length });
  const { probabilities } = await session.run(goldenFrame.slice(), 1);
  await session.close();
  const { featureShape, featureBox, embeddingSize } = findLandmarks(network);
  const [, heightPx, widthPx] = featureShape;
  const draft = {
    ...{ name: 'cells', model, labels, inputSpec, scores: null, runId: null },
    thresholds: labels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
    datasetFingerprint: null,
    parent: null,
    golden: { frame: goldenFrame, output: probabilities },
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
