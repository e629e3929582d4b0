import test from 'ava';
import { formatModel, formatModels } from '../../src/cli/format-model.js';
import type { ModelDescription } from '../../src/client/index.js';
import { smallInput } from '../small-frames.js';

const model: ModelDescription = {
  name: 'cells',
  version: 3,
  state: 'ready',
  aliases: ['live'],
  labels: ['a', 'b'],
  thresholds: [0.5, 0.25],
  thresholdsSource: 'chosen on validation',
  calibration: null,
  explains: false,
  drift: null,
  inputSpec: smallInput,
  scores: {
    ...{ frameCount: 5, loss: 1, binaryAccuracy: 0.5, alwaysNoAccuracy: 0.75, macroF1: 0.25 },
    ...{ macroF1Present: 0.5, macroAveragePrecisionPresent: 0.625 },
    atThresholds: { binaryAccuracy: 0.875, macroF1: 0.375, macroF1Present: 0.75 },
  },
  createdAtMs: 1_700_000_000_123,
  runId: 'r1',
  training: null,
  parent: '',
  datasetFingerprint: 'f0',
  sha256: 'aa',
  device: '',
  precision: '',
  precisionNote: '',
  resizeNote: '',
  failure: '',
};

test('a version shows its scores at 0.5 and at its thresholds, over the labels present first', (t) => {
  const shown = formatModel(model, {});
  t.regex(
    shown,
    /^scores at 0\.5 +macro F1, labels present 0\.5000, all labels 0\.2500, macro average precision, labels present 0\.6250, binary accuracy 0\.5000 \("no" to everything: 0\.7500\), loss 1\.0000, on 5 frames$/m,
  );
  t.regex(
    shown,
    /^at its thresholds +macro F1, labels present 0\.7500, all labels 0\.3750, binary accuracy 0\.8750 \("no" to everything: 0\.7500\), on the frames that they were chosen on: expect less on others$/m,
  );
  t.regex(formatModels([model], {}), /0\.5000 +0\.5000 +0\.7500/);
});

test('a version shows the settings and epochs of its training, whatever release kept them', (t) => {
  const first = {
    epoch: 1,
    trainingLoss: 0.5,
    validationLoss: 0.25,
    validationMacroF1Present: 0.125,
  };
  const training = {
    spec: { model: 'cells', epochs: 12, batchSize: 16, freeze: [], setting: 'of another release' },
    history: [{ ...first, trainingMacroF1Present: null, seconds: 3, best: true }],
  };
  const lines = formatModel({ ...model, training }, {}).split('\n');
  t.deepEqual(lines.slice(lines.indexOf('trained with')), [
    'trained with',
    'model    cells',
    'epochs   12',
    'batch    16',
    'freeze   -',
    'setting  of another release',
    'epoch  1/12  loss 0.5000  validation loss 0.2500  macro F1, labels present 0.1250 (training -)  average precision - (training -)  accuracy - ("no" -)  3.0 s  best',
  ]);
  t.notRegex(formatModel(model, {}), /trained with/);
});

test('a version from before such scores were kept, and an imported one, say so', (t) => {
  const before = { macroF1Present: null, macroAveragePrecisionPresent: null, atThresholds: null };
  const earlier = formatModel({ ...model, scores: { ...model.scores!, ...before } }, {});
  t.regex(earlier, /^scores at 0\.5 +macro F1, labels present -, all labels 0\.2500/m);
  t.regex(earlier, /^at its thresholds +none$/m);
  t.regex(formatModel({ ...model, scores: null }, {}), /^scores at 0\.5 +none$/m);
});
