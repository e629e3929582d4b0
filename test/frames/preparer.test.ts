import test, { type ExecutionContext } from 'ava';
import { DomainError, type ErrorCode } from '../../src/errors.js';
import {
  createPreparer,
  hpaChannels,
  type PreparerOptions,
  resizeBilinear,
} from '../../src/frames/index.js';
import { planesOf, pngFrame, rawFrame, spec } from './frames-for-tests.js';

function preparerFor(t: ExecutionContext, options: Partial<PreparerOptions> = {}) {
  const preparer = createPreparer({ threads: 1, ...options });
  t.teardown(() => preparer.close());
  return preparer;
}

const rejects = async (t: ExecutionContext, promise: Promise<unknown>, code: ErrorCode) => {
  const error = await t.throwsAsync(promise, { instanceOf: DomainError });
  t.is((error as DomainError).code, code);
};

test('an encoded frame becomes the bilinear tensor of its planes', async (t) => {
  const raw = rawFrame(256);
  const expected = new Uint8Array(4 * 128 * 128);
  raw.planes.forEach(({ bytes }, i) => {
    const into = expected.subarray(i * 128 * 128, (i + 1) * 128 * 128);
    resizeBilinear(bytes, raw, into, spec);
  });
  const prepared = await preparerFor(t).prepare(await pngFrame(256), spec);
  t.deepEqual(prepared, { pixels: expected, qualityFlags: [] });
});

test('planes may come in any order and by their colours', async (t) => {
  const preparer = preparerFor(t);
  const expected = await preparer.prepare(rawFrame(200), spec);
  const frame = rawFrame(200);
  const colours = ['red', 'green', 'blue', 'Yellow'];
  const planes = frame.planes.map((plane, i) => ({ ...plane, channel: colours[i]! })).reverse();
  t.deepEqual(await preparer.prepare({ ...frame, planes }, spec), expected);
});

test('a raw frame of the right size is copied, and its bytes stay with the caller', async (t) => {
  const frame = rawFrame(128);
  const { pixels } = await preparerFor(t).prepare(frame, spec);
  t.deepEqual(
    frame.planes.map(({ bytes }) => bytes.length),
    [16384, 16384, 16384, 16384],
  );
  t.deepEqual(pixels.subarray(16384, 32768), frame.planes[1]!.bytes);
  t.not(pixels.buffer, frame.planes[0]!.bytes.buffer);
});

test('planes that fill one message buffer move with it; others are copied out', async (t) => {
  const preparer = preparerFor(t);
  const frame = rawFrame(64);
  const viewOn = (buffer: ArrayBuffer) => ({
    ...frame,
    planes: frame.planes.map(({ channel, bytes }, i) => {
      const view = new Uint8Array(buffer, 100 + i * bytes.length, bytes.length);
      view.set(bytes);
      return { channel, bytes: view };
    }),
  });
  const message = new ArrayBuffer(4 * 4096 + 200);
  const shared = new ArrayBuffer(10 * 4096);
  const expected = await preparer.prepare(viewOn(message), spec);
  t.is(message.byteLength, 0, 'moved, not cloned');
  t.deepEqual(await preparer.prepare(viewOn(shared), spec), expected);
  t.is(shared.byteLength, 40960, 'still whole for whoever shares it');
  const sharedMemory = new SharedArrayBuffer(40960);
  t.deepEqual(
    await preparer.prepare(viewOn(sharedMemory as unknown as ArrayBuffer), spec),
    expected,
  );
});

test('an abandoned frame that has not started is never decoded', async (t) => {
  const preparer = preparerFor(t);
  const [running, abandoned] = [await pngFrame(512), await pngFrame(256)];
  const first = preparer.prepare(running, spec);
  const controller = new AbortController();
  const second = preparer.prepare(abandoned, spec, controller.signal);
  controller.abort();
  await rejects(t, second, 'cancelled');
  await first;
  await preparer.prepare(await pngFrame(256), spec);
  t.true(
    abandoned.planes.every(({ bytes }) => bytes.length > 0),
    'its bytes never left for the worker',
  );
});

test('a frame that has started is dropped at once when its time is up', async (t) => {
  const preparer = preparerFor(t);
  const controller = new AbortController();
  const late = preparer.prepare(await pngFrame(512), spec, controller.signal);
  controller.abort(new DOMException('time is up', 'TimeoutError'));
  await rejects(t, late, 'deadline');
  t.is((await preparer.prepare(await pngFrame(256), spec)).pixels.length, 65536);
});

test('a signal that is aborted already costs nothing', async (t) => {
  const frame = await pngFrame(256);
  await rejects(t, preparerFor(t).prepare(frame, spec, AbortSignal.abort()), 'cancelled');
  t.true(frame.planes[0]!.bytes.length > 0);
});

test('a full queue refuses with overloaded, by frames and by bytes', async (t) => {
  const byFrames = preparerFor(t, { maxQueuedFrames: 1 });
  const kept = [byFrames.prepare(rawFrame(200), spec), byFrames.prepare(rawFrame(200), spec)];
  await rejects(t, byFrames.prepare(rawFrame(200), spec), 'overloaded');
  t.is((await Promise.all(kept)).length, 2);
  const byBytes = preparerFor(t, { maxQueuedBytes: 1000 });
  const running = byBytes.prepare(rawFrame(200), spec);
  await rejects(t, byBytes.prepare(rawFrame(200), spec), 'overloaded');
  await running;
});

test('closing answers what runs, refuses what waits and what comes', async (t) => {
  const preparer = createPreparer({ threads: 1 });
  const running = preparer.prepare(rawFrame(200), spec);
  const waiting = preparer.prepare(rawFrame(200), spec);
  const closed = preparer.close();
  await rejects(t, waiting, 'draining');
  t.is((await running).pixels.length, 65536);
  await closed;
  await rejects(t, preparer.prepare(rawFrame(128), spec), 'draining');
  await preparer.close();
});

test('many frames at once each get their own pixels', async (t) => {
  const preparer = preparerFor(t, { threads: 2 });
  const alone: Uint8Array[] = [];
  for (let seed = 0; seed < 8; seed++) {
    alone.push((await preparer.prepare(rawFrame(150, seed), spec)).pixels);
  }
  const together = await Promise.all(
    alone.map((_, seed) => preparer.prepare(rawFrame(150, seed), spec)),
  );
  t.deepEqual(
    together.map(({ pixels }) => pixels),
    alone,
  );
});

test('uint16 pixels are scaled by their significant bits, rounded and clipped', async (t) => {
  const preparer = preparerFor(t);
  const tiny = { ...spec, widthPx: 2, heightPx: 2 };
  const pixels = Uint16Array.from([0, 4095, 2048, 5000]);
  const twelve = await preparer.prepare(planesOf(pixels, 2, 2, 12), tiny);
  t.deepEqual([...twelve.pixels.subarray(0, 4)], [0, 255, 128, 255]);
  const all = await preparer.prepare(
    planesOf(Uint16Array.from([0, 65535, 32768, 257]), 2, 2),
    tiny,
  );
  t.deepEqual([...all.pixels.subarray(0, 4)], [0, 255, 128, 1]);
});

test('float pixels are 0 to 1, clipped outside', async (t) => {
  const tiny = { ...spec, widthPx: 2, heightPx: 2 };
  const frame = planesOf(Float32Array.from([-3, 0.5, 1, 7]), 2, 2);
  const { pixels } = await preparerFor(t).prepare(frame, tiny);
  t.deepEqual([...pixels.subarray(0, 4)], [0, 128, 255, 255]);
});

test('pixels that do not lie on their own boundary are read all the same', async (t) => {
  const preparer = preparerFor(t);
  const frame = planesOf(Uint16Array.from([1, 2000, 30000, 65535]), 2, 2);
  const buffer = new ArrayBuffer(4 * 8 + 1);
  const planes = frame.planes.map(({ channel, bytes }, i) => {
    const view = new Uint8Array(buffer, 1 + 8 * i, 8);
    view.set(bytes);
    return { channel, bytes: view };
  });
  const tiny = { ...spec, widthPx: 2, heightPx: 2 };
  const expected = await preparer.prepare(frame, tiny);
  t.deepEqual(await preparer.prepare({ ...frame, planes }, tiny), expected);
});

test('an area model gets area-averaged planes', async (t) => {
  const preparer = preparerFor(t);
  const pixels = Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 160 : 0));
  const one = { ...spec, widthPx: 1, heightPx: 1 };
  const area = await preparer.prepare(planesOf(pixels, 4, 4), { ...one, resize: 'area' });
  const bilinear = await preparer.prepare(planesOf(pixels, 4, 4), one);
  t.deepEqual([area.pixels[0], bilinear.pixels[0]], [10, 0]);
});

test('quality flags tell empty, saturated and dim planes, on either way', async (t) => {
  const preparer = preparerFor(t);
  const base = Uint8Array.from({ length: 128 * 128 }, (_, i) => i % 200);
  const cases = [
    { flags: [], change: () => {} },
    { flags: ['plane_empty'], change: (plane: Uint8Array) => plane.fill(7) },
    { flags: ['saturated'], change: (plane: Uint8Array) => plane.fill(255, 0, 820) },
    { flags: [], change: (plane: Uint8Array) => plane.fill(255, 0, 819) },
    {
      flags: ['dim'],
      change: (plane: Uint8Array) =>
        plane.forEach((_, i) => {
          plane[i] = i % 6;
        }),
    },
    {
      flags: [],
      change: (plane: Uint8Array) =>
        plane.forEach((_, i) => {
          plane[i] = i % 7;
        }),
    },
    { flags: ['plane_empty', 'saturated'], change: (plane: Uint8Array) => plane.fill(255) },
  ];
  for (const { flags, change } of cases) {
    for (const size of [spec, { ...spec, widthPx: 64 }]) {
      const frame = planesOf(base, 128, 128);
      change(frame.planes[2]!.bytes);
      t.deepEqual((await preparer.prepare(frame, size)).qualityFlags, flags);
    }
  }
});

test('a model of other channels takes frames of its own roles', async (t) => {
  const two = { ...spec, channels: ['actin', 'nucleus'], widthPx: 16, heightPx: 16 };
  const frame = planesOf(new Uint8Array(256).fill(9), 16, 16);
  const planes = ['blue', 'actin'].map((channel, i) => ({ ...frame.planes[i]!, channel }));
  t.is((await preparerFor(t).prepare({ ...frame, planes }, two)).pixels.length, 512);
  t.is(hpaChannels.length, 4);
});
