import test from 'ava';
import { DomainError } from '../../src/errors.js';
import { findLandmarks } from '../../src/graph/index.js';
import { createNetwork, networks } from '../../src/training/networks/index.js';
import { smallNetwork, smallNetworkWithDropout } from './small-network.js';

test('the last feature map and the penultimate activations are found by structure', (t) => {
  const found = findLandmarks(smallNetwork);
  t.deepEqual(found.featureShape, [4, 5, 3]);
  t.deepEqual(found.stages, [smallNetwork.layers.slice(0, 3)]);
  t.deepEqual(found.head, smallNetwork.layers.slice(3));
  t.is(found.embeddingSize, 6);
  t.is(findLandmarks(smallNetworkWithDropout).embeddingSize, 6);
});

test('where stages are read, the last that leaves more than a pixel is the feature map', (t) => {
  for (const [sidePx, stage, featureShape] of [
    [64, 2, [128, 4, 4]],
    [16, 1, [64, 2, 2]],
  ] as const) {
    const shape = { channels: 4, heightPx: sidePx, widthPx: sidePx, labelCount: 28 };
    const found = findLandmarks(createNetwork('resnet-small', shape));
    t.is(found.stages.length, 3);
    t.is(found.featureStage, stage);
    t.deepEqual(found.featureShape, featureShape);
    t.deepEqual(found.featureBox, { left: 0, top: 0, right: 1, bottom: 1 });
    t.is(found.embeddingSize, 448);
  }
});

test('the part of the frame that a feature map stands for leaves out what layers drop', (t) => {
  const shape = { channels: 4, heightPx: 128, widthPx: 128, labelCount: 28 };
  const { featureBox, featureShape } = findLandmarks(createNetwork('seed-cnn', shape));
  t.deepEqual(featureShape, [64, 25, 25]);
  // By hand: two convolutions drop 2 px a side; after a pool by two, two drop 4 px more, a row
  // of the odd map is left over, and after the next pool two drop 8 px more: 14 px at the
  // start, 25 cells of 4 px.
  for (const [edge, expected] of [
    ['left', 14 / 128],
    ['top', 14 / 128],
    ['right', 114 / 128],
    ['bottom', 114 / 128],
  ] as const) {
    t.true(Math.abs(featureBox[edge] - expected) < 1e-12, `${edge}: ${featureBox[edge]}`);
  }
});

test('every network has a feature map and penultimate activations', (t) => {
  for (const name of Object.keys(networks)) {
    for (const [heightPx, widthPx] of [
      [128, 128],
      [64, 96],
    ] as const) {
      const network = createNetwork(name, { channels: 3, heightPx, widthPx, labelCount: 5 });
      const { featureShape, featureBox, embeddingSize } = findLandmarks(network);
      t.true(featureShape[1] * featureShape[2] >= 4, name);
      t.true(embeddingSize >= 5, name);
      const { left, top, right, bottom } = featureBox;
      t.true(0 <= left && left < right && right <= 1 && 0 <= top && top < bottom && bottom <= 1);
    }
  }
});

test('a network without a feature map is unsupported', (t) => {
  const error = t.throws(
    () =>
      findLandmarks({
        name: 'flat',
        inputShape: [1, 4, 4],
        layers: [{ kind: 'flatten' }, { kind: 'dense', name: 'dense', units: 2 }],
      }),
    { instanceOf: DomainError },
  );
  t.is(error.code, 'unsupported');
});
