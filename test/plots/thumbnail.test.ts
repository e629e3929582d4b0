import test from 'ava';
import sharp from 'sharp';
import type { Frame } from '../../src/frames/index.js';
import { fuse, toThumbnail } from '../../src/plots/index.js';

test('planes are shown in the colours of their roles', (t) => {
  const bright = (channel: string, at: number) => ({
    channel,
    levelStep: 1,
    values: Uint16Array.from({ length: 4 }, (_, pixel) => (pixel === at ? 60_000 : 0)),
  });
  const rgb = fuse([
    bright('microtubules', 0),
    bright('protein', 1),
    bright('nucleus', 2),
    bright('endoplasmic_reticulum', 3),
  ]);
  t.deepEqual(Array.from(rgb), [255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 0]);
});

test('a dim plane is stretched, an empty one is not blown up', (t) => {
  const ramp = Uint16Array.from({ length: 1000 }, (_, at) => 200 + Math.floor(at / 10));
  const dim = fuse([{ channel: 'protein', levelStep: 1, values: ramp }]);
  t.is(dim[1], 0);
  t.is(dim.at(-2), 255);
  const noise = Uint16Array.from({ length: 1000 }, (_, at) => 257 * (at % 2));
  const dark = fuse([{ channel: 'protein', levelStep: 257, values: noise }]);
  t.true(Math.max(...dark) < 30);
});

test('raw and encoded planes, of 8 and 16 bit, give the same picture', async (t) => {
  const bytes = Uint8Array.from({ length: 64 * 64 }, (_, at) => 60 + ((at % 64) + (at >> 6)) / 2);
  const wide = Uint16Array.from(bytes, (value) => value * 257);
  const size = { width: 64, height: 64, channels: 1 } as const;
  const png = await sharp(bytes, { raw: size }).png().toBuffer();
  const png16 = await sharp(wide, { raw: size }).toColourspace('grey16').png().toBuffer();
  const [first, ...others] = await Promise.all(
    [
      frame({ encoding: 'raw', bytes }),
      frame({ encoding: 'raw', pixelType: 'uint16', bytes: new Uint8Array(wide.buffer) }),
      frame({ encoding: 'png', bytes: png }),
      frame({ encoding: 'png', bytes: png16 }),
    ].map((of) => toThumbnail(of, 32)),
  );
  t.is(first?.rgb.length, 32 * 32 * 3);
  t.true(Math.max(...(first?.rgb ?? [])) > 250);
  for (const [at, { rgb }] of others.entries()) {
    const differences = rgb.map((value, index) => Math.abs(value - (first?.rgb[index] ?? 0)));
    // An 8-bit file is resized in 8 bit: its rounding is stretched along with it.
    t.true(Math.max(...differences) <= 6, `${at}: ${Math.max(...differences)} levels apart`);
  }
});

test('a frame that is not square keeps its shape', async (t) => {
  const bytes = Uint8Array.from({ length: 64 * 32 }, (_, at) => 100 + (at % 100));
  const { rgb } = await toThumbnail({ ...frame({ encoding: 'raw', bytes }), heightPx: 32 }, 32);
  const rowOf = (y: number) => Array.from(rgb.subarray(y * 96, (y + 1) * 96));
  t.true(rowOf(0).every((value) => value === 0));
  t.true(rowOf(16).some((value) => value > 0));
});

test('a plane that cannot be read is named', async (t) => {
  const broken = { ...frame({ encoding: 'png', bytes: Uint8Array.of(1, 2, 3) }), id: 'f7' };
  await t.throwsAsync(() => toThumbnail(broken, 32), {
    code: 'frame_invalid',
    message: 'frame "f7": its plane "protein" cannot be shown',
  });
});

function frame({ bytes, ...rest }: Partial<Frame> & { readonly bytes: Uint8Array }): Frame {
  return {
    id: 'frame',
    widthPx: 64,
    heightPx: 64,
    pixelType: 'uint8',
    significantBits: 0,
    encoding: 'raw',
    planes: [{ channel: 'protein', bytes }],
    ...rest,
  };
}
