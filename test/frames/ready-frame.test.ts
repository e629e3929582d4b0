import test from 'ava';
import fc from 'fast-check';
import type { Plane } from '../../src/frames/index.js';
import { takeReadyFrame } from '../../src/frames/ready-frame.js';

const channels = ['microtubules', 'protein', 'nucleus', 'endoplasmic_reticulum'] as const;
const planeLength = 12;

/** Planes that lie in one buffer, in the order given, each after a gap of some bytes. */
function lay(order: readonly number[], gaps: readonly number[], tail: number) {
  const length = order.length * planeLength + gaps.reduce((sum, gap) => sum + gap, 0) + tail;
  const buffer = new ArrayBuffer(length);
  const planes: Plane[] = [];
  let at = 0;
  for (const [place, index] of order.entries()) {
    at += gaps[place] ?? 0;
    const bytes = new Uint8Array(buffer, at, planeLength);
    for (let pixel = 0; pixel < planeLength; pixel += 1) bytes[pixel] = index * 50 + pixel;
    planes[index] = { channel: channels[index] ?? '', bytes };
    at += planeLength;
  }
  return { buffer, planes };
}

const expected = Uint8Array.from({ length: 4 * planeLength }, (_, at) => {
  return Math.floor(at / planeLength) * 50 + (at % planeLength);
});

test('planes become the same tensor wherever in a message they lie', (t) => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
      fc.array(fc.nat(20), { minLength: 4, maxLength: 4 }),
      fc.nat(40),
      (order, gaps, tail) => {
        const { planes } = lay(order, gaps, tail);
        const { pixels } = takeReadyFrame(planes);
        t.deepEqual(pixels, expected);
      },
    ),
  );
});

test('the planes of one message are closed up within it: no other buffer is made', (t) => {
  const { buffer, planes } = lay([0, 1, 2, 3], [3, 2, 2, 2], 1);
  t.is(takeReadyFrame(planes).pixels.buffer, buffer);
});

test('a buffer that holds much else, or planes in another order, is left as it was', (t) => {
  for (const { buffer, planes } of [
    lay([0, 1, 2, 3], [0, 0, 0, 0], 17),
    lay([1, 0, 2, 3], [2, 2, 2, 2], 0),
  ]) {
    const before = new Uint8Array(buffer.slice(0));
    const { pixels } = takeReadyFrame(planes);
    t.deepEqual(pixels, expected);
    t.not(pixels.buffer as ArrayBuffer, buffer);
    t.deepEqual(new Uint8Array(buffer), before);
  }
});

test('one plane given for two channels counts for both', (t) => {
  const { planes } = lay([0, 1, 2, 3], [0, 0, 0, 0], 0);
  const [first] = planes;
  if (first === undefined) throw new Error('no plane');
  const { pixels } = takeReadyFrame([first, first, first, first]);
  t.deepEqual(pixels.subarray(planeLength, 2 * planeLength), expected.subarray(0, planeLength));
  t.deepEqual(pixels.subarray(3 * planeLength), expected.subarray(0, planeLength));
});
