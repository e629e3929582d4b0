import test from 'ava';
import { Lanes } from '../../src/batching/lanes.js';

test('a batch begins at once on an idle lane, else when the first lane is free', (t) => {
  const lanes = new Lanes(2);
  t.is(lanes.beginsAtMs(100), 100);
  lanes.enter(100, 30);
  t.is(lanes.beginsAtMs(105), 105);
  lanes.enter(105, 10);
  t.is(lanes.beginsAtMs(105), 115);
  t.is(lanes.beginsAtMs(120), 120, 'a run that is late may end at any moment');
});

test('batches that were handed over ahead run one after another, on the lanes that are free first', (t) => {
  const lanes = new Lanes(2);
  for (const runMs of [30, 10, 15, 1]) lanes.enter(0, runMs);
  // One lane ends at 30 and 31, the other at 10 and 25.
  t.is(lanes.beginsAtMs(0), 26);
  t.false(lanes.hasRoomAhead);
});

test('a run that ends early lets the next begin early', (t) => {
  const lanes = new Lanes(1);
  const leave = lanes.enter(0, 100);
  lanes.enter(0, 10);
  t.is(lanes.beginsAtMs(0), 110);
  leave(5);
  t.is(lanes.batches, 1);
  t.is(lanes.beginsAtMs(6), 15);
});
