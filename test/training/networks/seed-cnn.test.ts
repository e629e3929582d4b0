import test from 'ava';
import { countParameters } from '../../../src/graph/index.js';
import { createNetwork } from '../../../src/training/networks/index.js';

test('seed-cnn has 5,217,340 parameters at four channels of 128 by 128 px and 28 labels', (t) => {
  const shape = { channels: 4, heightPx: 128, widthPx: 128, labelCount: 28 };
  t.is(countParameters(createNetwork('seed-cnn', shape)), 5_217_340);
});

test('seed-cnn follows the channels, the size and the labels that it is made for', (t) => {
  const shape = { channels: 1, heightPx: 32, widthPx: 40, labelCount: 3 };
  // 3x3 convolutions 1-32-64-32-64-32-64, then a plane of 1 by 3 px that is left of 32 by 40.
  const convolutions = 320 + 18496 + 18464 + 18496 + 18464 + 18496;
  t.is(
    countParameters(createNetwork('seed-cnn', shape)),
    convolutions + (64 * 3 + 1) * 128 + 129 * 3,
  );
});

test('a frame too small for seed-cnn is refused by the name of the layer', (t) => {
  const shape = { channels: 4, heightPx: 31, widthPx: 128, labelCount: 28 };
  t.throws(() => countParameters(createNetwork('seed-cnn', shape)), {
    message: 'seed-cnn, layer 13 (conv6): expected at least 3 by 3 px, got 2 by 27 px',
  });
});

test('an unknown network is refused with the names of the known', (t) => {
  const shape = { channels: 4, heightPx: 128, widthPx: 128, labelCount: 28 };
  t.throws(() => createNetwork('__proto__', shape), {
    message: 'expected a network of seed-cnn, resnet-small, resnet-large, got __proto__',
  });
});
