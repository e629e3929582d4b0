import test from 'ava';
import type { Frame } from '../../src/frames/index.js';
import { overlay, toThumbnail } from '../../src/plots/index.js';

const edgePx = 40;
const grey = { edgePx, rgb: new Uint8Array(edgePx * edgePx * 3).fill(100) };
const whole = { left: 0, top: 0, right: 1, bottom: 1 };

/** How much redder than blue a pixel is: 0 without heat. */
const heatAt = ({ rgb }: { rgb: Uint8Array }, x: number, y: number) => {
  const at = (y * edgePx + x) * 3;
  return (rgb[at] ?? 0) - (rgb[at + 2] ?? 0);
};

test('a map is laid where it belongs, and nowhere else', (t) => {
  const levels = Uint8Array.of(0, 255, 0, 0);
  const painted = overlay(grey, { widthPx: 2, heightPx: 2, levels, box: whole });
  t.true(heatAt(painted, 34, 5) > 100, 'the top right cell');
  t.is(heatAt(painted, 2, 2), 0);
  t.is(heatAt(painted, 2, 38), 0);
  t.true(heatAt(painted, 22, 5) < heatAt(painted, 30, 5), 'it fades towards the next cell');
  // The frame behind is darkened, not hidden.
  t.is(painted.rgb[(38 * edgePx + 2) * 3], 60);
  t.deepEqual(new Set(grey.rgb), new Set([100]), 'the thumbnail itself stays');
});

test('a map that covers the middle of a frame leaves its edges alone', (t) => {
  const box = { left: 0.25, top: 0.25, right: 0.75, bottom: 0.75 };
  const layer = { widthPx: 1, heightPx: 1, levels: Uint8Array.of(255), box };
  const painted = overlay(grey, layer);
  t.is(heatAt(painted, 9, 20), 0);
  t.true(heatAt(painted, 10, 20) > 100);
  t.true(heatAt(painted, 29, 29) > 100);
  t.is(heatAt(painted, 30, 29), 0);
});

test('on a frame that is not square a map covers the frame, not the black beside it', async (t) => {
  const frame: Frame = {
    ...{ id: 'wide', widthPx: 80, heightPx: 40, significantBits: 0 },
    ...{ pixelType: 'uint8', encoding: 'raw' },
    planes: [{ channel: 'protein', bytes: new Uint8Array(80 * 40) }],
  };
  const thumbnail = await toThumbnail(frame, edgePx);
  t.deepEqual(thumbnail.shown, { widthShare: 1, heightShare: 0.5 });
  const layer = { widthPx: 1, heightPx: 1, levels: Uint8Array.of(255), box: whole };
  const painted = overlay(thumbnail, layer);
  t.is(heatAt(painted, 20, 9), 0);
  t.true(heatAt(painted, 20, 10) > 100);
  t.true(heatAt(painted, 0, 29) > 100);
  t.is(heatAt(painted, 20, 30), 0);
});
