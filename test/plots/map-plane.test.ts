import test from 'ava';
import sharp from 'sharp';
import { toMapPlane } from '../../src/plots/index.js';

const frame = { widthPx: 64, heightPx: 32 };

async function planeOf(layer: Parameters<typeof toMapPlane>[0]) {
  const { data, info } = await sharp(await toMapPlane(layer, frame))
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { info, at: (x: number, y: number) => data[y * info.width + x] };
}

test('a map becomes one grey plane of the size of its frame', async (t) => {
  const box = { left: 0, top: 0, right: 1, bottom: 1 };
  const levels = Uint8Array.of(0, 255, 0, 0);
  const { info, at } = await planeOf({ widthPx: 2, heightPx: 2, levels, box });
  t.deepEqual([info.width, info.height, info.channels], [64, 32, 1]);
  // Cell centres keep their level, and there is a way between them.
  t.deepEqual([at(0, 0), at(63, 0), at(0, 31), at(63, 31)], [0, 255, 0, 0]);
  const between = at(32, 0) ?? 0;
  t.true(between > 100 && between < 155, `${between}`);
});

test('a map that does not reach the edges leaves them dark', async (t) => {
  const box = { left: 0.25, top: 0.125, right: 0.75, bottom: 0.875 };
  const { at } = await planeOf({ widthPx: 1, heightPx: 1, levels: Uint8Array.of(200), box });
  t.deepEqual([at(15, 16), at(16, 16), at(47, 16), at(48, 16)], [0, 200, 200, 0]);
  t.deepEqual([at(32, 3), at(32, 4), at(32, 27), at(32, 28)], [0, 200, 200, 0]);
});

test('a map that covers less than a pixel is one', async (t) => {
  const box = { left: 1, top: 0, right: 1, bottom: 0.001 };
  const { at } = await planeOf({ widthPx: 1, heightPx: 1, levels: Uint8Array.of(9), box });
  t.deepEqual([at(63, 0), at(62, 0), at(63, 1)], [9, 0, 0]);
});
