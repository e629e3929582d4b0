import test from 'ava';
import { createFakeEngine, fakeProbabilities } from '../../src/engines/index.js';

const spec = { model: new Uint8Array(), inputShape: [1, 4, 4] as const, labelCount: 5 };

const pixelsOf = (seed: number) =>
  Uint8Array.from({ length: 16 }, (_, index) => Math.imul(seed + 1, index + 7) & 255);

test('a row depends on its own pixels alone, whatever its place', async (t) => {
  const session = await createFakeEngine().load(spec);
  const frames = [0, 1, 2].map(pixelsOf);
  const input = new Uint8Array(frames.flatMap((frame) => [...frame]));
  const { probabilities } = await session.run(input, 3);
  t.deepEqual(
    probabilities,
    new Float32Array(frames.flatMap((frame) => [...fakeProbabilities(frame, 5)])),
  );
  t.true(probabilities.every((value) => value >= 0 && value < 1));
});

test('one changed pixel changes the answer', (t) => {
  const seen = new Set<string>();
  for (let at = 0; at < 16; at += 1) {
    for (const level of [0, 1, 128, 255]) {
      const pixels = new Uint8Array(16).fill(7);
      pixels[at] = level;
      seen.add(fakeProbabilities(pixels, 5).join());
    }
  }
  t.is(seen.size, 64);
});

test('an input is given away and handed back, as by a worker', async (t) => {
  const session = await createFakeEngine().load(spec);
  const given = pixelsOf(3);
  const running = session.run(given, 1);
  t.is(given.byteLength, 0);
  t.deepEqual((await running).input, pixelsOf(3));
});

test('runs are one at a time and take the time they are given', async (t) => {
  const log: string[] = [];
  const engine = createFakeEngine({
    runMs: (batchSize) => 2 * batchSize,
    async wait(delayMs) {
      log.push(`begin ${delayMs}`);
      await null;
      log.push(`end ${delayMs}`);
    },
  });
  const session = await engine.load(spec);
  await Promise.all([session.run(new Uint8Array(32), 2), session.run(new Uint8Array(16), 1)]);
  t.deepEqual(log, ['begin 4', 'end 4', 'begin 2', 'end 2']);
});

test('a closed engine and an input of the wrong length are refused', async (t) => {
  const engine = createFakeEngine();
  const session = await engine.load(spec);
  await t.throwsAsync(session.run(new Uint8Array(15), 1), { code: 'model_failed' });
  await engine.close();
  await t.throwsAsync(session.run(new Uint8Array(16), 1), { code: 'not_ready' });
});
