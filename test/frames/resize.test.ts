import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type Pixels, resizeArea, resizeBilinear, type SizePx } from '../../src/frames/index.js';
import { packageRoot } from '../../src/package-root.js';
import { simulateCells } from '../../src/simulator/index.js';

interface Case {
  readonly seed: number;
  readonly bits: 8 | 16;
  readonly rule: 'bilinear' | 'area';
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly pixels: readonly number[];
}

const golden = JSON.parse(
  readFileSync(join(packageRoot, 'test/golden/opencv_resize.json'), 'utf8'),
) as { readonly opencv: string; readonly cases: readonly Case[] };

/** The plane that test/golden/opencv_resize.py describes. */
function makePlane(length: number, seed: number, bits: 8 | 16): Uint8Array | Uint16Array {
  const pixels = bits === 8 ? new Uint8Array(length) : new Uint16Array(length);
  let x = BigInt(seed);
  for (let i = 0; i < length; i++) {
    x = (x * 1103515245n + 12345n) % 2147483648n;
    pixels[i] = Number(x >> BigInt(31 - bits));
  }
  return pixels;
}

function resizeCase({ seed, bits, rule, from, to }: Case): Pixels {
  const source = makePlane(from[0] * from[1], seed, bits);
  const into = bits === 8 ? new Uint8Array(to[0] * to[1]) : new Uint16Array(to[0] * to[1]);
  const resize = rule === 'area' ? resizeArea : resizeBilinear;
  resize<Pixels>(source, { widthPx: from[0], heightPx: from[1] }, into, {
    widthPx: to[0],
    heightPx: to[1],
  });
  return into;
}

for (const one of golden.cases) {
  const title = `${one.rule}, ${one.bits} bit, ${one.from.join('x')} to ${one.to.join('x')}`;
  test(`${title} equals OpenCV ${golden.opencv}`, (t) => {
    const got = resizeCase(one);
    t.is(got.length, one.pixels.length);
    // 8 bit must be equal bit for bit; at 16 bit OpenCV sums in float32, we in float64
    const tolerance = one.bits === 8 ? 0 : 1;
    const worst = one.pixels.reduce((max, value, i) => Math.max(max, Math.abs(value - got[i]!)), 0);
    t.true(worst <= tolerance, `off by up to ${worst}`);
  });
}

test('a float plane keeps its precision in both rules', (t) => {
  const source = Float32Array.from([0, 0.25, 0.5, 1]);
  const from = { widthPx: 2, heightPx: 2 };
  const one = { widthPx: 1, heightPx: 1 };
  for (const resize of [resizeBilinear, resizeArea]) {
    const into = new Float32Array(1);
    resize(source, from, into, one);
    t.is(into[0], 0.4375);
  }
});

test('area-averaging differs from bilinear at filaments, and hardly in the mean', (t) => {
  // Shrinking 512 to 128, bilinear looks at 2 x 2 of each 4 x 4 pixels, area at all 16:
  // noise is averaged less and a filament one pixel thin may be missed or doubled.
  const from = { widthPx: 512, heightPx: 512 };
  const to = { widthPx: 128, heightPx: 128 };
  const frame = simulateCells({ seed: 11, labels: [23], sizePx: 512 });
  const report = frame.planes.map(({ channel, bytes }) => ({
    channel,
    ...compare(bytes, from, to),
  }));
  for (const { channel, mean, worst, bias } of report) {
    t.log(
      `${channel}: mean |difference| ${mean.toFixed(2)}, worst ${worst}, bias ${bias.toFixed(3)}`,
    );
  }
  const [microtubules, , nucleus] = report;
  t.true(microtubules!.mean > nucleus!.mean, 'thin filaments differ more than the broad nucleus');
  t.true(microtubules!.worst >= 10 && microtubules!.worst <= 120);
  for (const { mean, bias } of report) {
    t.true(mean > 0 && mean < 6);
    t.true(Math.abs(bias) < 0.5, 'neither rule is brighter');
  }
});

/** How area and bilinear differ on one plane, in levels of 255. */
function compare(bytes: Uint8Array, from: SizePx, to: SizePx) {
  const bilinear = new Uint8Array(to.widthPx * to.heightPx);
  const area = new Uint8Array(to.widthPx * to.heightPx);
  resizeBilinear(bytes, from, bilinear, to);
  resizeArea(bytes, from, area, to);
  let sum = 0;
  let signed = 0;
  let worst = 0;
  area.forEach((value, i) => {
    const difference = value - bilinear[i]!;
    sum += Math.abs(difference);
    signed += difference;
    worst = Math.max(worst, Math.abs(difference));
  });
  return { mean: sum / area.length, bias: signed / area.length, worst };
}
