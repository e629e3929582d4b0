import test from 'ava';
import { decodePlane } from '../../src/frames/decode.js';
import { buildTiff, type TiffOptions } from './tiff-builder.js';

const [widthPx, heightPx] = [37, 29];
const size = { widthPx, heightPx };
const deep = Uint16Array.from({ length: widthPx * heightPx }, (_, i) => (i * 7919) % 65_521);
const shallow = Uint8Array.from(deep, (value) => value % 251);

const decode = (options: TiffOptions) =>
  decodePlane(buildTiff(options), {
    encoding: 'tiff',
    widthPx: 0,
    heightPx: 0,
    maxPixels: 1_000_000,
  });

const layouts: Record<string, Omit<TiffOptions, 'pixels' | 'widthPx' | 'heightPx'>> = {
  'one strip': {},
  'many strips, the last one short': { rowsPerStrip: 4 },
  'tiles that reach beyond the edges': { tilePx: 16 },
  'Deflate strips': { compression: 8, rowsPerStrip: 10 },
  'Deflate tiles': { compression: 8, tilePx: 32 },
  'big-endian': { isBigEndian: true, rowsPerStrip: 7 },
  BigTIFF: { isBig: true, rowsPerStrip: 7 },
  'big-endian BigTIFF of tiles': { isBig: true, isBigEndian: true, tilePx: 16 },
};
for (const [title, layout] of Object.entries(layouts)) {
  test(`a TIFF gives its pixels of 8 and 16 bits: ${title}`, async (t) => {
    t.deepEqual(await decode({ ...size, ...layout, pixels: deep }), { ...size, pixels: deep });
    const plane = await decode({ ...size, ...layout, pixels: shallow });
    if ('fault' in plane) return t.fail(plane.fault);
    t.deepEqual([...plane.pixels], [...shallow]);
  });
}

const packed = (number: number) =>
  new RegExp(`without compression, or with LZW, .* got compression ${number}$`);
const refused: Record<string, [Partial<TiffOptions>, RegExp]> = {
  'float pixels': [{ pixels: new Float32Array(deep.length) }, /8- or 16-bit pixels, got float/],
  'signed pixels': [{ pixels: new Int16Array(deep.length) }, /8- or 16-bit pixels, got short/],
  ZSTD: [{ compression: 50_000 }, packed(50_000)],
  'LZMA, big-endian': [{ compression: 34_925, isBigEndian: true }, packed(34_925)],
  'JPEG 2000, BigTIFF': [{ compression: 34_712, isBig: true }, packed(34_712)],
};
for (const [title, [options, expected]] of Object.entries(refused)) {
  test(`a sound TIFF that cannot be read is refused by its kind, not as damaged: ${title}`, async (t) => {
    const plane = await decode({ ...size, pixels: deep, ...options });
    t.regex('fault' in plane ? plane.fault : 'read', expected);
  });
}

test('a TIFF cut anywhere is refused, never half answered', async (t) => {
  const whole = buildTiff({ ...size, pixels: deep, rowsPerStrip: 5 });
  for (let share = 0.05; share < 1; share += 0.05) {
    const cut = whole.slice(0, Math.floor(whole.length * share));
    const plane = await decodePlane(cut, {
      encoding: 'tiff',
      widthPx: 0,
      heightPx: 0,
      maxPixels: 1_000_000,
    });
    t.true('fault' in plane, `${share.toFixed(2)} of the file was read`);
  }
});
