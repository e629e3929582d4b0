import test from 'ava';
import { createPace } from '../../../src/training/process/pace.js';

function setUp(share: number) {
  const rests: number[] = [];
  const stop = { isRequested: false };
  const pace = createPace(share, {
    isStopRequested: () => stop.isRequested,
    pause: async (delayMs) => rests.push(delayMs),
  });
  const restAfter = async (stepMs: number) => {
    rests.length = 0;
    await pace.rest(stepMs);
    return rests.reduce((sum, restMs) => sum + restMs, 0);
  };
  return { pace, restAfter, stop, rests };
}

test('steps take their share of the time while frames are answered, and all of it else', async (t) => {
  const { pace, restAfter } = setUp(0.25);
  t.is(await restAfter(100), 0);
  pace.setServing(true);
  t.is(await restAfter(100), 300);
  t.is(await restAfter(2000), 6000);
  pace.setServing(false);
  t.is(await restAfter(100), 0);
});

test('a share of 1 never rests', async (t) => {
  const { pace, restAfter } = setUp(1);
  pace.setServing(true);
  t.is(await restAfter(1000), 0);
});

test('a stop ends a rest', async (t) => {
  const { pace, restAfter, stop, rests } = setUp(0.01);
  pace.setServing(true);
  const rest = restAfter(60_000);
  stop.isRequested = true;
  await rest;
  t.true(rests.length <= 1);
});

test('a rest ends when the last frame was answered, also when serving was told twice', async (t) => {
  const pace = createPace(1e-9, { isStopRequested: () => false });
  pace.setServing(true);
  pace.setServing(true);
  const rest = pace.rest(1000);
  setImmediate(() => setImmediate(() => pace.setServing(false)));
  await rest;
  t.pass();
});
