import { deflateSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import sharp from 'sharp';
import { DomainError } from '../../src/errors.js';
import { createPreparer, type Encoding, type Frame } from '../../src/frames/index.js';
import { planesOf, pngFrame, rawFrame, spec, withPlane } from './frames-for-tests.js';
import { buildPng } from './png-builder.js';

async function faultOf(t: ExecutionContext, frame: Frame, maxPixels = 4096 * 4096) {
  const preparer = createPreparer({ threads: 1, maxPixels });
  t.teardown(() => preparer.close());
  const error = await t.throwsAsync(preparer.prepare(frame, spec), { instanceOf: DomainError });
  t.is((error as DomainError).code, 'frame_invalid');
  return (error as DomainError).message;
}

const all = 'microtubules, protein, nucleus, endoplasmic_reticulum';

test('a missing plane is named with its colour, and what came instead', async (t) => {
  const frame = rawFrame(128);
  t.is(
    await faultOf(t, { ...frame, planes: frame.planes.slice(0, 3) }),
    `missing plane endoplasmic_reticulum (yellow): expected ${all}, got microtubules, protein, nucleus`,
  );
  t.regex(await faultOf(t, { ...frame, planes: [] }), /missing plane microtubules.*got none/);
});

test('unknown and doubled channels are named', async (t) => {
  const frame = rawFrame(128);
  const renamed = (index: number, channel: string): Frame => ({
    ...frame,
    planes: frame.planes.map((plane, i) => (i === index ? { ...plane, channel } : plane)),
  });
  t.regex(await faultOf(t, renamed(2, 'nukleus')), /unknown channel "nukleus": expected micro/);
  const doubled = await faultOf(t, renamed(2, 'red'));
  t.regex(doubled, /expected one plane microtubules \(red\), got 2/);
  t.regex(doubled, /missing plane nucleus \(blue\)/);
});

test('all faults of a frame come in one message', async (t) => {
  const frame = rawFrame(128);
  const bad = withPlane(withPlane(frame, 0, new Uint8Array(0)), 1, new Uint8Array(99));
  const message = await faultOf(t, { ...bad, significantBits: 9, planes: bad.planes.slice(0, 3) });
  t.deepEqual(message.split('; '), [
    `missing plane endoplasmic_reticulum (yellow): expected ${all}, got microtubules, protein, nucleus`,
    'expected 0 to 8 significant bits, got 9',
    'plane microtubules (red): expected pixels, got zero bytes',
    'plane protein (green): expected 128 x 128 uint8 pixels = 16384 bytes, got 99',
  ]);
});

test('raw planes need a size, within the limit, and significant bits within their type', async (t) => {
  const frame = rawFrame(128);
  t.regex(await faultOf(t, { ...frame, widthPx: 0 }), /expected width and height.*got 0 x 128 px/);
  t.regex(
    await faultOf(t, { ...frame, widthPx: -128, heightPx: -128 }),
    /expected width and height/,
  );
  t.regex(await faultOf(t, { ...frame, widthPx: 128.5 }), /expected width and height/);
  t.is(await faultOf(t, frame, 10_000), 'expected at most 10000 pixels a plane, got 128 x 128');
  const deep = planesOf(new Uint16Array(128 * 128), 128, 128, 17);
  t.is(await faultOf(t, deep), 'expected 0 to 16 significant bits, got 17');
});

test('pixels that are not numbers are a fault, wherever they are', async (t) => {
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const pixels = new Float32Array(64 * 64).fill(0.5);
    pixels[4000] = odd;
    const frame = planesOf(pixels, 64, 64);
    t.regex(await faultOf(t, frame), /plane nucleus \(blue\): expected numbers, got NaN/);
  }
});

test('a PNG cut anywhere is refused, never half answered', async (t) => {
  const frame = await pngFrame(64);
  const whole = frame.planes[1]!.bytes;
  for (const share of [0.001, 0.01, 0.3, 0.6, 0.9, 0.999]) {
    const cut = whole.slice(0, Math.ceil(whole.length * share));
    t.regex(
      await faultOf(t, withPlane(await pngFrame(64), 1, cut)),
      /plane protein \(green\): expected a (png file|png header|whole png file)/,
    );
  }
});

test('a PNG with one wrong byte in its data is refused', async (t) => {
  const frame = await pngFrame(64);
  const damaged = frame.planes[3]!.bytes.slice();
  damaged[damaged.length >> 1]! ^= 0x10;
  t.regex(
    await faultOf(t, withPlane(frame, 3, damaged)),
    /plane endoplasmic_reticulum \(yellow\): expected a sound png file, got one with a wrong checksum/,
  );
});

test('a PNG bomb is refused by its header, before anything is inflated', async (t) => {
  const bomb = buildPng({ widthPx: 60_000, heightPx: 60_000 }, deflateSync(new Uint8Array(1000)));
  t.regex(
    await faultOf(t, withPlane(await pngFrame(64), 0, bomb)),
    /plane microtubules \(red\): expected at most 16777216 pixels a plane, got 60000 x 60000/,
  );
});

test('a PNG that inflates to more or less than its header says is refused', async (t) => {
  for (const length of [64 * 65 + 1, 64 * 65 - 1, 50_000_000]) {
    const png = buildPng({ widthPx: 64, heightPx: 64 }, deflateSync(new Uint8Array(length)));
    const fault = await faultOf(t, withPlane(await pngFrame(64), 2, png));
    t.regex(fault, /plane nucleus \(blue\): expected (whole png data|png data of 4160 bytes)/);
  }
});

test('a file that is not what the frame says it is gets named', async (t) => {
  const raw = { width: 64, height: 64, channels: 1 } as const;
  const jpeg = await sharp(new Uint8Array(4096), { raw }).jpeg().toBuffer();
  const frame = await pngFrame(64);
  t.is(
    await faultOf(t, withPlane(frame, 0, jpeg)),
    'plane microtubules (red): expected a png file, got jpeg',
  );
  const text = new TextEncoder().encode('<html>not found</html>');
  t.is(
    await faultOf(t, withPlane(frame, 0, text)),
    'plane microtubules (red): expected a png file, got bytes of no known format',
  );
});

test('planes of different sizes are listed', async (t) => {
  const [one, other] = [await pngFrame(64), await pngFrame(32)];
  t.is(
    await faultOf(t, withPlane(one, 2, other.planes[2]!.bytes)),
    'expected planes of one size, got microtubules 64 x 64, protein 64 x 64, nucleus 32 x 32, ' +
      'endoplasmic_reticulum 64 x 64',
  );
  t.regex(
    await faultOf(t, { ...one, widthPx: 128, heightPx: 64 }),
    /plane protein \(green\): expected 128 x 64 px as the frame says, got 64 x 64/,
  );
});

test('colour, several pages, cut files and other pixels are refused in every format', async (t) => {
  const rgb = { raw: { width: 64, height: 64, channels: 3 } } as const;
  const grey = { raw: { width: 64, height: 64, channels: 1 } } as const;
  const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7919) % 251);
  const colour = sharp(noise(64 * 64 * 3), rgb);
  const plain = sharp(noise(64 * 64), grey).toColourspace('b-w');
  const jpeg = await plain.clone().jpeg().toBuffer();
  const tiff = await plain.clone().tiff({ compression: 'lzw' }).toBuffer();
  const cases: [Encoding, Uint8Array, RegExp][] = [
    ['png', await colour.clone().png().toBuffer(), /expected one grey channel, got 3 \(srgb\)/],
    ['jpeg', await colour.clone().jpeg().toBuffer(), /expected one grey channel, got 3 \(srgb\)/],
    ['tiff', await colour.clone().tiff().toBuffer(), /expected one grey channel, got 3 \(srgb\)/],
    ['jpeg', jpeg.subarray(0, jpeg.length * 0.6), /expected a whole jpeg file/],
    ['tiff', tiff.subarray(0, tiff.length * 0.6), /expected a whole tiff file/],
  ];
  for (const [encoding, bytes, expected] of cases) {
    const frame = rawFrame(64);
    const planes = frame.planes.map(({ channel }) => ({ channel, bytes: Uint8Array.from(bytes) }));
    t.regex(await faultOf(t, { ...frame, encoding, planes, widthPx: 0, heightPx: 0 }), expected);
  }
});

test('12 significant bits of an 8-bit file are a fault, not a dark plane', async (t) => {
  const frame = { ...(await pngFrame(64)), pixelType: 'uint16', significantBits: 12 } as const;
  t.regex(await faultOf(t, frame), /expected 12 significant bits, got 8-bit pixels/);
});
