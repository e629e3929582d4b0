import { createHash } from 'node:crypto';
import test from 'ava';
import sharp from 'sharp';
import {
  createPreparer,
  hpaChannels,
  type InputSpec,
  preparation,
} from '../../src/frames/index.js';
import { planesOf, spec } from './frames-for-tests.js';

const sizePx = 96;
/** Blocks of 8 px and grain, whose values are those of no library. */
const values = Array.from({ length: sizePx * sizePx }, (_, at) => {
  const [x, y] = [at % sizePx, Math.floor(at / sizePx)];
  return ((((x >> 3) * 37 + (y >> 3) * 91) % 200) * 257 + ((at * 7919) % 4096)) % 65536;
});

/** A grey PNG: one that this product decodes itself, or an interlaced one, which sharp does. */
const grey = (bits: 8 | 16, isInterlaced: boolean): Promise<Buffer> => {
  const raw = { width: sizePx, height: sizePx, channels: 1 } as const;
  const pixels = bits === 16 ? Uint16Array.from(values) : Uint8Array.from(values, (v) => v >> 8);
  return sharp(pixels, { raw })
    .toColourspace(bits === 16 ? 'grey16' : 'b-w')
    .png({ progressive: isInterlaced })
    .toBuffer();
};

/** Of the pixels that the files become, by what they are and how they are resized. */
const hashes = {
  'grey of 8 bits, bilinear': 'f8082963c790c56f',
  'grey of 8 bits, area': 'b749ae0b25cdb182',
  'grey of 16 bits, bilinear': '7e9c1e275ffe8856',
  'grey of 16 bits, area': '5f5a208054f8eb61',
};

test('frames are prepared to the pixels that this number of the preparation stands for', async (t) => {
  t.is(preparation, 1);
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const prepare = async (bits: 8 | 16, isInterlaced: boolean, resize: InputSpec['resize']) => {
    const file = await grey(bits, isInterlaced);
    const planes = hpaChannels.map((channel) => ({ channel, bytes: Uint8Array.from(file) }));
    const { pixels } = await preparer.prepare(
      { ...planesOf(new Uint8Array(), 0, 0), encoding: 'png', planes },
      // Neither a whole part of the file nor as wide as high.
      { ...spec, widthPx: 40, heightPx: 52, resize },
    );
    return createHash('sha256').update(pixels).digest('hex').slice(0, 16);
  };
  const found: Record<string, string> = {};
  for (const bits of [8, 16] as const) {
    for (const resize of ['bilinear', 'area'] as const) {
      const hash = await prepare(bits, false, resize);
      t.is(await prepare(bits, true, resize), hash, `interlaced, ${bits} bits, ${resize}`);
      found[`grey of ${bits} bits, ${resize}`] = hash;
    }
  }
  t.deepEqual(
    found,
    hashes,
    'raise `preparation` in src/frames/preparation.ts, and put these here',
  );
});
