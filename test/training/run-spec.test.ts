import test from 'ava';
import { parseRunSpec } from '../../src/training/run-spec.js';

test('a dataset and a name are enough: the rest is filled in', (t) => {
  t.deepEqual(parseRunSpec({ dataPath: '/cells', model: 'cells' }), {
    value: {
      dataPath: '/cells',
      model: 'cells',
      network: 'seed-cnn',
      epochs: 60,
      batchSize: 128,
      share: 1,
      trainingPart: 0.8,
      split: 'auto',
      seed: 1,
      learningRate: 1e-3,
      patience: 6,
      promote: false,
    },
  });
});

test('every fault is listed at once, with what was expected and what came', (t) => {
  const parsed = parseRunSpec({
    dataPath: '',
    model: '../live',
    network: 'resnet',
    epochs: 0,
    batchSize: 1.5,
    share: 1.2,
    trainingPart: 1,
    split: 7,
    seed: -1,
    learningRate: Number.NaN,
    patience: '6',
    promote: 1,
    rate: 1,
  });
  t.deepEqual('faults' in parsed ? [...parsed.faults].sort() : [], [
    'batchSize: expected a whole number from 1 to 4096, got 1.5',
    'dataPath: expected the folder of a dataset, got ""',
    'epochs: expected a whole number from 1 to 100000, got 0',
    'learningRate: expected a number above 0, got null',
    'model: expected a name of a-z, 0-9, ".", "_" and "-", 64 at most, got "../live"',
    'network: expected a network of seed-cnn, got "resnet"',
    'patience: expected a whole number from 1 to 100000, got "6"',
    'promote: expected true or false, got 1',
    'seed: expected a whole number from 0 to 9007199254740991, got -1',
    'share: expected a number above 0, at most 1, got 1.2',
    'split: expected auto, first or group, got 7',
    'trainingPart: expected a number above 0 and below 1, got 1',
    'unknown: rate',
  ]);
});

test('what is no object, or lacks the needed fields, is told and not thrown', (t) => {
  for (const input of [null, undefined, 'spec', 3, []]) t.true('faults' in parseRunSpec(input));
  t.deepEqual(parseRunSpec({}), {
    faults: [
      'dataPath: expected the folder of a dataset, got nothing',
      'model: expected a name of a-z, 0-9, ".", "_" and "-", 64 at most, got nothing',
    ],
  });
});
