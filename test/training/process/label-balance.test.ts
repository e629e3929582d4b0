import test from 'ava';
import {
  drawingWeightsOf,
  positiveWeightsOf,
} from '../../../src/training/process/label-balance.js';

/** 8 frames: label 0 in six, 1 in two, 2 in one together with 0, 3 in none; one frame has none. */
const table = {
  labelCount: 4,
  targets: Uint8Array.from(
    [
      [1, 0, 0, 0],
      [1, 0, 0, 0],
      [1, 0, 0, 0],
      [1, 0, 0, 0],
      [1, 1, 0, 0],
      [0, 1, 0, 0],
      [1, 0, 1, 0],
      [0, 0, 0, 0],
    ].flat(),
  ),
};

test('a "yes" weighs what all "no" of its label weigh, up to a bound', (t) => {
  t.deepEqual(positiveWeightsOf(table, 10), [2 / 6, 6 / 2, 7, 1]);
  t.deepEqual(positiveWeightsOf(table, 5), [2 / 6, 3, 5, 1]);
});

test('a frame is drawn by its rarest label, by one over the root of its part', (t) => {
  const [common, rare, rarest] = [Math.sqrt(8 / 6), Math.sqrt(8 / 2), Math.sqrt(8)];
  t.deepEqual(drawingWeightsOf(table), [
    ...[common, common, common, common],
    ...[rare, rare, rarest, common],
  ]);
});

test('frames without any label are drawn alike', (t) => {
  const empty = { targets: new Uint8Array(6), labelCount: 2 };
  t.deepEqual(drawingWeightsOf(empty), [1, 1, 1]);
  t.deepEqual(positiveWeightsOf(empty, 10), [1, 1]);
});
