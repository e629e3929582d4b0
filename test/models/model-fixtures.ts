import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { InputSpec } from '../../src/frames/index.js';
import { createGoldenFrame, type VersionDraft } from '../../src/models/index.js';
import { type TinyModelOptions, tinyModel, tinyProbabilities } from '../engines/tiny-models.js';

export const labels = ['Nucleoplasm', 'Cytosol', 'Mitochondria', 'Golgi apparatus'];

export const inputSpec: InputSpec = {
  channels: ['microtubules', 'protein', 'nucleus', 'endoplasmic_reticulum'],
  widthPx: 8,
  heightPx: 8,
  resize: 'bilinear',
};

/** A folder of its own, removed after the test. */
export async function tempFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-models-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A version of a tiny model, ready to be published; `bias` tells versions apart. */
export function draftOf(name = 'cells', model: TinyModelOptions = {}): VersionDraft {
  const frame = createGoldenFrame(inputSpec);
  return {
    name,
    model: tinyModel(model),
    labels,
    inputSpec,
    thresholds: labels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
    scores: null,
    runId: null,
    datasetFingerprint: null,
    parent: null,
    golden: { frame, output: tinyProbabilities(frame, model) },
  };
}
