import test from 'ava';
import fc from 'fast-check';
import { randomOf } from '../../../src/graph/index.js';
import {
  drawVariation,
  type FrameSize,
  noVariation,
  type Variation,
  variationRanges,
  varyFrame,
} from '../../../src/training/process/augment.js';

const sizes = fc.record({
  channels: fc.integer({ min: 1, max: 4 }),
  heightPx: fc.integer({ min: 1, max: 9 }),
  widthPx: fc.integer({ min: 1, max: 9 }),
});
const squares = sizes.map((size) => ({ ...size, widthPx: size.heightPx }));
const withFrame = (ofSize: fc.Arbitrary<FrameSize>) =>
  ofSize.chain((size) => {
    const length = size.channels * size.heightPx * size.widthPx;
    return fc.tuple(fc.constant(size), fc.uint8Array({ minLength: length, maxLength: length }));
  });
const vary = (frame: Uint8Array, size: FrameSize, given: Partial<Variation>): Uint8Array => {
  const into = new Uint8Array(frame.length);
  varyFrame(frame, size, { ...noVariation(size), ...given }, into);
  return into;
};
const turns = fc.constantFrom(0, 1, 2, 3);

test('no variation changes no pixel', (t) => {
  fc.assert(
    fc.property(withFrame(sizes), ([size, frame]) => {
      t.deepEqual(vary(frame, size, {}), frame);
    }),
  );
});

test('four quarter turns, two half turns and two flips are the identity', (t) => {
  fc.assert(
    fc.property(withFrame(squares), ([size, frame]) => {
      const turned = (times: number): Uint8Array =>
        Array.from({ length: times }).reduce<Uint8Array>(
          (at) => vary(at, size, { turns: 1 }),
          frame,
        );
      t.deepEqual(turned(4), frame);
      t.deepEqual(turned(2), vary(frame, size, { turns: 2 }));
      t.deepEqual(turned(3), vary(frame, size, { turns: 3 }));
      const flip = (of: Uint8Array): Uint8Array => vary(of, size, { isMirrored: true });
      t.deepEqual(flip(flip(frame)), frame);
    }),
  );
});

test('a quarter turn goes against the clock, a flip from left to right', (t) => {
  const size = { channels: 1, heightPx: 2, widthPx: 2 };
  const frame = Uint8Array.of(1, 2, 3, 4);
  t.deepEqual([...vary(frame, size, { turns: 1 })], [2, 4, 1, 3]);
  t.deepEqual([...vary(frame, size, { isMirrored: true })], [2, 1, 4, 3]);
  // Mirrored first, then turned.
  t.deepEqual([...vary(frame, size, { isMirrored: true, turns: 1 })], [1, 3, 2, 4]);
});

test('flips and turns keep the pixels of every channel, and move all channels alike', (t) => {
  fc.assert(
    fc.property(withFrame(squares), turns, fc.boolean(), ([size, frame], turn, isMirrored) => {
      const moved = vary(frame, size, { turns: turn as Variation['turns'], isMirrored });
      const plane = size.heightPx * size.widthPx;
      for (let channel = 0; channel < size.channels; channel += 1) {
        const of = (frames: Uint8Array) => frames.slice(channel * plane, (channel + 1) * plane);
        t.deepEqual(of(moved).toSorted(), of(frame).toSorted());
        const alone = vary(
          of(frame),
          { ...size, channels: 1 },
          {
            turns: turn as Variation['turns'],
            isMirrored,
          },
        );
        t.deepEqual(of(moved), alone);
      }
    }),
  );
});

test('no variation makes a pixel brighter than the brightest, but for its stain', (t) => {
  fc.assert(
    fc.property(withFrame(sizes), fc.integer(), ([size, frame], seed) => {
      const { window } = drawVariation(randomOf(seed, 1, 1), size, {
        window: { least: 0.5, most: 1.5 },
        intensity: 0,
      });
      const brightest = Math.max(0, ...frame);
      t.true(vary(frame, size, { window }).every((value) => value <= brightest));
    }),
  );
});

test('a window of half the size shows its part, magnified', (t) => {
  const size = { channels: 1, heightPx: 8, widthPx: 8 };
  const frame = Uint8Array.from({ length: 64 }, (_, at) => (at % 8 < 4 ? 10 : 90));
  const window = { x: 0.5, y: 0, size: 0.5 };
  // But for the first column, which lies between the two halves.
  const right = vary(frame, size, { window });
  t.true(right.every((value, at) => (at % 8 === 0 ? value > 50 : value === 90)));
});

test('a wider window shows the whole frame with darkness around it', (t) => {
  const size = { channels: 1, heightPx: 8, widthPx: 8 };
  const whole = vary(new Uint8Array(64).fill(200), size, {
    window: { x: -0.5, y: -0.5, size: 2 },
  });
  const sum = whole.reduce((all, value) => all + value, 0);
  t.is(sum, (64 * 200) / 4);
  t.is(whole[0], 0);
  t.is(whole[3 * 8 + 3], 200);
});

test('an intensity keeps the order of brightness within a channel, and black', (t) => {
  const size = { channels: 1, heightPx: 16, widthPx: 16 };
  const ramp = Uint8Array.from({ length: 256 }, (_, at) => at);
  const factor = fc.double({ min: 0.5, max: 2, noNaN: true });
  fc.assert(
    fc.property(factor, factor, (gain, gamma) => {
      const stained = vary(ramp, size, { intensities: [{ gain, gamma }] });
      t.is(stained[0], 0);
      t.true(stained.every((value, at) => at === 0 || value >= stained[at - 1]!));
    }),
  );
});

test('a generator settles a variation; frames that are not square keep their sides', (t) => {
  const size = { channels: 3, heightPx: 5, widthPx: 7 };
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 1e6 }), (seed, index) => {
      const draw = () => drawVariation(randomOf(seed, 1, index), size, variationRanges.sizes);
      t.deepEqual(draw(), draw());
      t.is(draw().turns % 2, 0);
    }),
  );
});

test('every turn and both flips are drawn, windows and stains within their range', (t) => {
  const size = { channels: 2, heightPx: 6, widthPx: 6 };
  const drawn = Array.from({ length: 400 }, (_, index) =>
    drawVariation(randomOf(3, 1, index), size, {
      window: { least: 0.8, most: 1.2 },
      intensity: 0.3,
    }),
  );
  t.is(new Set(drawn.map((each) => `${each.turns} ${each.isMirrored}`)).size, 8);
  const sizesDrawn = drawn.map(({ window }) => window.size);
  t.true(Math.min(...sizesDrawn) >= 0.8 && Math.max(...sizesDrawn) <= 1.2);
  t.true(Math.max(...sizesDrawn) - Math.min(...sizesDrawn) > 0.35);
  for (const { window, intensities } of drawn) {
    // A crop lies within the frame, a wider window holds all of it.
    for (const start of [window.x, window.y]) {
      const [low, high] = [Math.min(0, 1 - window.size), Math.max(0, 1 - window.size)];
      t.true(start >= low && start <= high);
    }
    for (const { gain, gamma } of intensities) {
      t.true(Math.abs(Math.log(gain)) <= 0.3 && Math.abs(Math.log(gamma)) <= 0.3);
    }
  }
});
