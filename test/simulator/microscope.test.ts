import test from 'ava';
import { createMicroscope } from '../../src/simulator/index.js';

const options = { seed: 5, sizePx: 32, frameCount: 10, framesPerSecond: null };

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

test('frames come at their rate, on the whole', async (t) => {
  let nowMs = 0;
  const acquiredAtMs: number[] = [];
  const microscope = createMicroscope(
    { ...options, framesPerSecond: 20 },
    {
      now: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
      },
    },
  );
  for await (const _ of microscope) {
    acquiredAtMs.push(nowMs);
    // The third frame is taken late: those that follow make up for it.
    if (acquiredAtMs.length === 3) nowMs += 120;
  }
  t.deepEqual(acquiredAtMs, [0, 50, 100, 220, 220, 250, 300, 350, 400, 450]);
});

test('the same seed gives the same frames', async (t) => {
  const [one, two] = await Promise.all([
    collect(createMicroscope(options)),
    collect(createMicroscope(options)),
  ]);
  t.deepEqual(one, two);
  t.is(one.length, 10);
});

test('another seed gives other frames', async (t) => {
  const [one] = await collect(createMicroscope({ ...options, frameCount: 1 }));
  const [two] = await collect(createMicroscope({ ...options, frameCount: 1, seed: 6 }));
  t.notDeepEqual(one?.frame.planes, two?.frame.planes);
});

test('every frame has its own name', async (t) => {
  const acquisitions = await collect(createMicroscope(options));
  t.deepEqual(acquisitions.map(({ frame }) => frame.id).slice(8), ['frame-09', 'frame-10']);
});

test('an acquisition that is told to stop ends after the frame it is at', async (t) => {
  const controller = new AbortController();
  let count = 0;
  const microscope = createMicroscope(
    { ...options, framesPerSecond: 1000 },
    { signal: controller.signal },
  );
  for await (const _ of microscope) {
    count += 1;
    if (count === 3) controller.abort();
  }
  t.is(count, 3);
});

test('a wait for the next frame ends at once when told to stop', async (t) => {
  const controller = new AbortController();
  const microscope = createMicroscope(
    { ...options, framesPerSecond: 0.001 },
    { signal: controller.signal },
  );
  t.false((await microscope.next()).done);
  const next = microscope.next();
  controller.abort();
  t.true((await next).done);
});

test('a microscope that is to show some labels shows no others', async (t) => {
  const labels = [2, 15, 23];
  const acquisitions = await collect(createMicroscope({ ...options, frameCount: 60, labels }));
  const seen = new Set(acquisitions.flatMap((acquisition) => acquisition.labels));
  t.deepEqual(
    [...seen].sort((a, b) => a - b),
    labels,
  );
});

test('one label alone is never drawn with another', async (t) => {
  const acquisitions = await collect(createMicroscope({ ...options, labels: [7] }));
  t.true(acquisitions.every(({ labels }) => labels.length === 1 && labels[0] === 7));
});
