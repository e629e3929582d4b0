import { deflateSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import sharp from 'sharp';
import { decodeWithSharp } from '../../src/frames/decode.js';
import { decodeGreyPng, type GreyPlane } from '../../src/frames/png.js';
import { buildPng } from './png-builder.js';

const options = { widthPx: 0, heightPx: 0, encoding: 'png', maxPixels: 1_000_000 } as const;

function assertDecoded(decoded: ReturnType<typeof decodeGreyPng>): GreyPlane {
  if (!('pixels' in decoded)) throw new Error(`not decoded: ${JSON.stringify(decoded)}`);
  return decoded;
}

test('every filter of every row, 8 and 16 bit, gives the pixels of a general decoder', async (t) => {
  // Any bytes are filtered data of some plane: what they decode to must agree.
  const png = fc
    .record({
      widthPx: fc.integer({ min: 1, max: 40 }),
      heightPx: fc.integer({ min: 1, max: 12 }),
      bitDepth: fc.constantFrom(8, 16),
    })
    .chain((header) => {
      const rowBytes = (header.widthPx * header.bitDepth) / 8;
      const row = fc
        .tuple(
          fc.integer({ min: 0, max: 4 }),
          fc.uint8Array({ minLength: rowBytes, maxLength: rowBytes }),
        )
        .map(([filter, bytes]) => [filter, ...bytes]);
      return fc
        .array(row, { minLength: header.heightPx, maxLength: header.heightPx })
        .map((rows) => buildPng(header, deflateSync(Uint8Array.from(rows.flat()))));
    });
  await fc.assert(
    fc.asyncProperty(png, async (bytes) => {
      const ours = assertDecoded(decodeGreyPng(bytes));
      const theirs = await decodeWithSharp(bytes, options);
      t.deepEqual({ ...ours } as unknown, theirs as unknown);
    }),
    { numRuns: 300 },
  );
});

test('PNGs as writers make them decode alike, in one chunk or many', async (t) => {
  for (const adaptiveFiltering of [true, false]) {
    const raw = { width: 301, height: 203, channels: 1 } as const;
    const pixels = Uint8Array.from({ length: 301 * 203 }, (_, i) => (i * i) % 253);
    const png = await sharp(pixels, { raw })
      .toColourspace('b-w')
      .png({ adaptiveFiltering, compressionLevel: 1 })
      .toBuffer();
    t.deepEqual(assertDecoded(decodeGreyPng(png)).pixels, pixels);
  }
});

test('what is not plain grey is left to the general decoder', async (t) => {
  const raw = { width: 16, height: 16, channels: 1 } as const;
  const grey = sharp(
    Uint8Array.from({ length: 256 }, (_, i) => i),
    { raw },
  ).toColourspace('b-w');
  const unfit = [
    await grey.clone().png({ progressive: true }).toBuffer(),
    await grey.clone().png({ palette: true }).toBuffer(),
    await grey.clone().toColourspace('srgb').png().toBuffer(),
    buildPng({ widthPx: 8, heightPx: 8, bitDepth: 4 }, deflateSync(new Uint8Array(40))),
  ];
  for (const bytes of unfit) {
    t.deepEqual(decodeGreyPng(bytes) as unknown, { isUnfit: true });
  }
  const interlaced = await decodeWithSharp(unfit[0]!, options);
  t.true('pixels' in interlaced && interlaced.pixels[200] === 200);
});

test('the general decoder scales fewer bits and refuses data that end early', async (t) => {
  // 4 bits: three pixels are two bytes a row, 0, 7, 15
  const row = [0, 0x07, 0xf0];
  const whole = buildPng(
    { widthPx: 3, heightPx: 2, bitDepth: 4 },
    deflateSync(Uint8Array.from([...row, ...row])),
  );
  const decoded = await decodeWithSharp(whole, options);
  t.deepEqual('pixels' in decoded && [...decoded.pixels], [0, 119, 255, 0, 119, 255]);
  const short = deflateSync(Uint8Array.from(row));
  const cut = buildPng({ widthPx: 3, heightPx: 200, bitDepth: 4 }, short);
  t.deepEqual((await decodeWithSharp(cut, options)) as unknown, {
    fault: 'expected a whole png file, got a truncated or damaged one',
  });
});

test('an unknown filter is a fault', (t) => {
  const png = buildPng({ widthPx: 2, heightPx: 1 }, deflateSync(Uint8Array.from([5, 1, 2])));
  t.deepEqual(decodeGreyPng(png) as unknown, { fault: 'expected png filters 0 to 4, got another' });
});

test('no bytes whatever make the decoder throw', (t) => {
  const start = buildPng({ widthPx: 4, heightPx: 4 }, deflateSync(new Uint8Array(20)));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(start.length), (bytes, cut) => {
      const mixed = Uint8Array.from([...start.subarray(0, cut), ...bytes]);
      const decoded = decodeGreyPng(mixed);
      t.true('fault' in decoded || 'isUnfit' in decoded || 'pixels' in decoded);
    }),
  );
});
