import { createGoldenFrame, type VersionDraft } from '../../src/models/index.js';
import { type TinyModelOptions, tinyModel, tinyProbabilities } from '../engines/tiny-models.js';
import { smallInput } from '../small-frames.js';

export const labels = ['Nucleoplasm', 'Cytosol', 'Mitochondria', 'Golgi apparatus'];

export const inputSpec = smallInput;

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
