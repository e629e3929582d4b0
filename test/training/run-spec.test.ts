import test from 'ava';
import { parseRunSpec } from '../../src/training/run-spec.js';

test('a dataset and a name are enough: the rest is filled in', (t) => {
  t.deepEqual(parseRunSpec({ dataPath: '/cells', model: 'cells' }), {
    value: {
      dataPath: '/cells',
      model: 'cells',
      // What a version to begin with may settle.
      inputSpec: {},
      labels: [],
      network: 'seed-cnn',
      epochs: 60,
      batchSize: 128,
      share: 1,
      trainingPart: 0.8,
      heldOut: 0,
      split: 'auto',
      seed: 1,
      learningRate: 1e-3,
      patience: 6,
      promote: false,
      loss: 'bce',
      focalGamma: 2,
      maxPositiveWeight: 10,
      sampling: 'shuffled',
      augmentation: 'none',
      engine: 'onnxruntime',
      schedule: 'decay',
      warmUp: 0.05,
      optimiser: 'adam',
      weightDecay: 0.01,
      clipNorm: 0,
      emaDecay: 0,
      parent: '',
      freeze: [],
    },
  });
});

test('every fault is listed at once, with what was expected and what came', (t) => {
  const parsed = parseRunSpec({
    dataPath: '',
    model: '../live',
    network: 'resnet',
    inputSpec: { channels: ['nucleus', 'blue'], widthPx: 0, heightPx: 4097, resize: 'cubic' },
    labels: ['a', 'b', 'a'],
    epochs: 0,
    batchSize: 1.5,
    share: 1.2,
    trainingPart: 1,
    split: 7,
    seed: -1,
    learningRate: Number.NaN,
    patience: '6',
    promote: 1,
    loss: 'hinge',
    focalGamma: 0,
    maxPositiveWeight: -1,
    sampling: 'random',
    schedule: 4,
    warmUp: 1,
    optimiser: 'sgd',
    weightDecay: 2,
    clipNorm: -1,
    emaDecay: 1,
    parent: 'cells@0',
    freeze: ['conv1', ''],
    rate: 1,
  });
  t.deepEqual('faults' in parsed ? [...parsed.faults].sort() : [], [
    'batchSize: expected a whole number from 1 to 4096, got 1.5',
    'clipNorm: expected 0 or a number above it, got -1',
    'dataPath: expected the folder of a dataset, got ""',
    'emaDecay: expected a number from 0, below 1, got 1',
    'epochs: expected a whole number from 1 to 100000, got 0',
    'focalGamma: expected a number above 0, at most 10, got 0',
    'freeze.1: expected a list of names of layers, got ""',
    'inputSpec.channels: expected up to 64 roles of channels, each once and a part of a file name, got ["nucleus","nucleus"]',
    'inputSpec.heightPx: expected a whole number of pixels from 1 to 4096, got 4097',
    'inputSpec.resize: expected bilinear or area, got "cubic"',
    'inputSpec.widthPx: expected a whole number of pixels from 1 to 4096, got 0',
    'labels: expected up to 10000 names of labels, each once, of 1 to 200 characters, got ["a","b","a"]',
    'learningRate: expected a number above 0, got null',
    'loss: expected bce, weighted or focal, got "hinge"',
    'maxPositiveWeight: expected a number above 0, at most 10000, got -1',
    'model: expected a name of a-z, 0-9, ".", "_" and "-", 64 at most, got "../live"',
    'network: expected a network of seed-cnn, resnet-small, resnet-large, got "resnet"',
    'optimiser: expected adam or adamw, got "sgd"',
    'parent: expected a version such as "cells", "cells@3" or "cells@candidate", or none, got "cells@0"',
    'patience: expected a whole number from 1 to 100000, got "6"',
    'promote: expected true or false, got 1',
    'sampling: expected shuffled or balanced, got "random"',
    'schedule: expected decay or cosine, got 4',
    'seed: expected a whole number from 0 to 9007199254740991, got -1',
    'share: expected a number above 0, at most 1, got 1.2',
    'split: expected auto, first or group, got 7',
    'trainingPart: expected a number above 0 and below 1, got 1',
    'unknown: rate',
    'warmUp: expected a number from 0, below 1, got 1',
    'weightDecay: expected a number from 0 to 1, got 2',
  ]);
});

test('a 0 that means something is taken: a seed, no warm-up, no decay, no bound, no average', (t) => {
  const zeros = { seed: 0, warmUp: 0, weightDecay: 0, clipNorm: 0, emaDecay: 0 };
  const parsed = parseRunSpec({ dataPath: '/cells', model: 'cells', ...zeros });
  t.like('value' in parsed && parsed.value, zeros);
});

test('layers are frozen in a run that continues from a version, and only there', (t) => {
  const given = { dataPath: '/cells', model: 'cells', freeze: ['conv1'] };
  t.deepEqual(parseRunSpec(given), {
    faults: ['freeze: expected a parent whose weights are worth keeping, got none'],
  });
  const parsed = parseRunSpec({ ...given, parent: 'cells@candidate' });
  t.like('value' in parsed && parsed.value, { parent: 'cells@candidate', freeze: ['conv1'] });
});

test('channels may be called by their colours, and never lead out of their folder', (t) => {
  const parse = (channels: readonly string[]) =>
    parseRunSpec({ dataPath: '/cells', model: 'cells', inputSpec: { channels } });
  const parsed = parse(['blue', 'actin']);
  t.deepEqual('value' in parsed && parsed.value.inputSpec, { channels: ['nucleus', 'actin'] });
  for (const name of ['', '../a', 'a/b', 'a\\b', 'a\0b']) t.true('faults' in parse([name]), name);
  t.true('faults' in parse([]));
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
