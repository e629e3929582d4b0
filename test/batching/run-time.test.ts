import test from 'ava';
import { chooseBatch, mayGainMore, RunTime } from '../../src/batching/run-time.js';

test('nothing is known before the first run', (t) => {
  t.is(new RunTime().expectMs(4), null);
});

test('a size that never ran is taken from the line through the nearest two', (t) => {
  const runTime = new RunTime();
  runTime.learn(1, 7);
  runTime.learn(4, 22); // 5 ms a frame and 2 ms a run
  t.is(runTime.expectMs(2), 12);
  t.is(runTime.expectMs(8), 42);
});

test('a loaded machine makes every size slower, and is forgotten when it is over', (t) => {
  const runTime = new RunTime();
  runTime.learn(1, 10);
  runTime.learn(4, 20);
  for (let run = 0; run < 30; run += 1) runTime.learn(1, 30);
  t.true(Math.abs((runTime.expectMs(4) ?? 0) - 60) < 1, 'three times slower');
  t.is(runTime.bestMs(4), 20, 'what a size costs against another is unchanged');
  for (let run = 0; run < 30; run += 1) runTime.learn(1, 10);
  t.true(Math.abs((runTime.expectMs(4) ?? 0) - 20) < 1);
});

test('one run that stood still does not shut out all that come after', (t) => {
  const runTime = new RunTime();
  runTime.learn(1, 10);
  runTime.learn(1, 60_000);
  t.is(runTime.expectMs(1), 10);
  runTime.learn(1, 60_000);
  t.true((runTime.expectMs(1) ?? 0) < 50, 'nor do two');
});

test('of sizes that are nearly as good, the larger runs once several of it wait', (t) => {
  const runTime = new RunTime();
  for (const size of [1, 2, 4, 8]) runTime.learn(size, 5 * size);
  const sizeOf = (waiting: number, backlog: number) =>
    chooseBatch(waiting, [1, 2, 4, 8], runTime, backlog).batchSize;
  t.is(sizeOf(3, 3), 1);
  t.is(sizeOf(8, 8), 2);
  t.is(sizeOf(16, 8), 2, 'half of what waits is for another lane');
  t.is(sizeOf(100, 50), 8);
  t.is(sizeOf(2, 50), 2, 'never padded for nothing');
});

test('larger sizes are given up once two in a row gained nothing', (t) => {
  const measured = (...runMs: readonly (readonly [number, number])[]) =>
    mayGainMore(new Map(runMs));
  t.true(measured());
  t.true(measured([1, 5]));
  t.true(measured([1, 5], [2, 10]), 'one may have been unlucky');
  t.false(measured([1, 5], [2, 10], [4, 20]), 'a CPU');
  t.true(measured([1, 5], [2, 5.2], [4, 5.5], [8, 6]), 'a GPU');
  t.true(measured([1, 5], [2, 10], [4, 15]), 'it gained after all');
  t.false(measured([1, 5], [2, 6], [4, 12], [8, 24]));
  t.true(measured([1, 0], [2, 0], [4, 0]), 'no time was seen to pass');
});
