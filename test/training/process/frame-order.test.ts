import test from 'ava';
import { createFrameOrder } from '../../../src/training/process/frame-order.js';
import { drawingWeightsOf } from '../../../src/training/process/label-balance.js';

/** 40 frames of label 0; every tenth has label 1 as well. */
const table = {
  labelCount: 2,
  targets: Uint8Array.from({ length: 80 }, (_, at) => (at % 2 === 0 || at % 20 === 1 ? 1 : 0)),
};
const isRare = (row: number) => row % 10 === 0;
const timesOf = (rows: readonly number[]) =>
  Array.from({ length: 40 }, (_, row) => rows.filter((each) => each === row).length);

test('shuffled takes every frame once, in another order each epoch and for each seed', (t) => {
  const order = createFrameOrder({ sampling: 'shuffled', seed: 3 }, table);
  for (const epoch of [1, 2]) t.true(timesOf(order(epoch)).every((times) => times === 1));
  t.notDeepEqual(order(1), order(2));
  t.notDeepEqual(order(1), createFrameOrder({ sampling: 'shuffled', seed: 4 }, table)(1));
});

test('an epoch has nothing in common with the one before, nor with the order of the file', (t) => {
  const count = 2000;
  const large = { labelCount: 1, targets: new Uint8Array(count) };
  const fileOrder = Array.from({ length: count }, (_, row) => row);
  for (const seed of [1, 2, 3, 4, 5, 6, 7]) {
    const order = createFrameOrder({ sampling: 'shuffled', seed }, large);
    const places = [1, 2, 3].map((epoch) => placesOf(order(epoch)));
    for (const [at, one] of places.entries()) {
      t.true(Math.abs(correlation(one, fileOrder)) < 4.5 / Math.sqrt(count), `seed ${seed}`);
      const next = places[(at + 1) % 3]!;
      t.true(Math.abs(correlation(one, next)) < 4.5 / Math.sqrt(count), `epochs of seed ${seed}`);
    }
  }

  function placesOf(rows: readonly number[]): readonly number[] {
    const places = new Array<number>(count);
    for (const [place, row] of rows.entries()) places[row] = place;
    return places;
  }
  /** Of two orders' places: Spearman's. */
  function correlation(one: readonly number[], two: readonly number[]): number {
    const middle = (count - 1) / 2;
    const products = one.reduce((sum, at, row) => sum + (at - middle) * (two[row]! - middle), 0);
    return (12 * products) / (count * (count ** 2 - 1));
  }
});

test('balanced takes as many frames, each as often as its weight says, rounded', (t) => {
  const order = createFrameOrder({ sampling: 'balanced', seed: 3 }, table);
  const weights = drawingWeightsOf(table);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / 40;
  const totals = new Array<number>(40).fill(0);
  for (let epoch = 1; epoch <= 50; epoch += 1) {
    const rows = order(epoch);
    t.is(rows.length, 40);
    for (const [row, times] of timesOf(rows).entries()) {
      const expected = weights[row]! / mean;
      t.true(times === Math.floor(expected) || times === Math.ceil(expected), `${row}: ${times}`);
      totals[row]! += times;
    }
  }
  const share = totals.filter((_, row) => isRare(row)).reduce((sum, times) => sum + times, 0);
  // √10 times as likely as another frame, 4 of them: 0.26 of the draws instead of 0.1.
  t.true(Math.abs(share / 2000 - (4 * Math.sqrt(10)) / (4 * Math.sqrt(10) + 36)) < 0.01);
  t.true(
    totals.every((times) => times > 20),
    'no common frame is left out for long',
  );
});

test('the same seed and epoch draw the same frames in the same order, others do not', (t) => {
  const order = createFrameOrder({ sampling: 'balanced', seed: 3 }, table);
  const again = createFrameOrder({ sampling: 'balanced', seed: 3 }, table);
  // Asked in another order: nothing depends on what was drawn before.
  const second = again(2);
  t.deepEqual([order(1), order(2)], [again(1), second]);
  t.notDeepEqual(order(1), order(2));
  t.notDeepEqual(order(1), createFrameOrder({ sampling: 'balanced', seed: 4 }, table)(1));
});
