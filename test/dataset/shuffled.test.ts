import test from 'ava';
import { shuffled } from '../../src/dataset/index.js';

const items = Array.from({ length: 200 }, (_, index) => index);

test('an order has every item once and is the same again', (t) => {
  const order = shuffled(items, 7, 3);
  t.deepEqual(
    [...order].sort((a, b) => a - b),
    items,
  );
  t.deepEqual(shuffled(items, 7, 3), order);
});

test('another stream, another seed and the high half of a seed give another order', (t) => {
  const orders = [
    [7, 3],
    [7, 4],
    [8, 3],
    [7 + 2 ** 32, 3],
  ].map(([seed, stream]) => shuffled(items, seed!, stream!).join());
  t.is(new Set(orders).size, 4);
});

test('every place is drawn about as often', (t) => {
  const counts = new Array<number>(8).fill(0);
  for (let stream = 0; stream < 4000; stream += 1) {
    counts[shuffled(items.slice(0, 8), 1, stream).indexOf(0)]! += 1;
  }
  // 500 expected; five standard deviations (21) away would be a broken generator.
  for (const count of counts) t.true(Math.abs(count - 500) < 105, `${counts}`);
});
