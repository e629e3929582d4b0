import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openModelStore } from '../../src/models/index.js';
import { type ExportedModel, exportFiles } from '../../src/training/process/messages.js';
import { promoteIn, publishRun } from '../../src/training/publish-run.js';
import type { EpochScores } from '../../src/training/run.js';
import { makeFolder } from '../make-folder.js';
import { newSpec } from './run-fixtures.js';

const epochOf = (epoch: number): EpochScores => ({
  ...{ epoch, trainingLoss: 0.5, trainingAccuracy: 0.9, trainingMacroF1Present: Number.NaN },
  ...{ trainingMacroAveragePrecisionPresent: 0.5, validationLoss: 0.25, validationAccuracy: 0.96 },
  ...{ validationMacroF1Present: 0.4, validationMacroAveragePrecisionPresent: 0.45 },
  ...{ validationMacroF1: 0.125, alwaysNoAccuracy: 0.95, seconds: 1, best: true },
});

const exported: ExportedModel = {
  scores: {
    ...{ frameCount: 5, loss: 1, binaryAccuracy: 0.5, alwaysNoAccuracy: 0.75, macroF1: 0.25 },
    ...{ macroF1Present: 0.5, macroAveragePrecisionPresent: null, atThresholds: null },
  },
  thresholds: [0.5, 0.5],
  thresholdsSource: 'chosen on validation',
  calibration: { temperature: 1, errorBefore: 0.1, errorAfter: 0.1, frameCount: 5 },
  datasetFingerprint: 'f0',
  goldenOutput: [0.25, 0.75],
  drift: { threshold: 1, source: 'test' },
  explanation: {
    ...{ embeddingSize: 4, heightPx: 1, widthPx: 1 },
    box: { left: 0, top: 0, right: 1, bottom: 1 },
  },
};

async function publishAfter(t: ExecutionContext, epochs: number) {
  const folder = await makeFolder(t);
  await mkdir(join(folder, dirname(exportFiles.model)), { recursive: true });
  for (const file of Object.values(exportFiles)) {
    await writeFile(join(folder, file), new Uint8Array(4));
  }
  const seen = { training: ['a'], validation: ['b'], heldOut: [], isParentUnknown: false };
  await writeFile(join(folder, exportFiles.frames), JSON.stringify(seen));
  const store = await openModelStore(join(folder, 'models'));
  const history = Array.from({ length: epochs }, (_, at) => epochOf(at + 1));
  const spec = newSpec({
    ...{ model: 'cells', seed: 0, warmUp: 0 },
    ...{ inputSpec: { widthPx: 1, heightPx: 1 }, labels: ['a', 'b'] },
  });
  await publishRun(
    { runId: 'run', folder, spec, history, exported },
    { store, promote: promoteIn(store) },
  );
  return { spec, training: (await store.read('cells@1')).training };
}

test('a version keeps the settings and the epochs of its training, a score that is none as null', async (t) => {
  const { spec, training } = await publishAfter(t, 2);
  t.deepEqual(training?.spec, { ...spec });
  t.deepEqual(
    training?.history,
    [1, 2].map((epoch) => ({ ...epochOf(epoch), trainingMacroF1Present: null })),
  );
});

test('a history that would make a version large stays with the run, the settings do not', async (t) => {
  t.is((await publishAfter(t, 1000)).training?.history.length, 1000);
  const { spec, training } = await publishAfter(t, 1001);
  t.deepEqual(training, { spec: { ...spec }, history: [] });
});
