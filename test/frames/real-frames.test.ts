import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import sharp from 'sharp';
import { DomainError } from '../../src/errors.js';
import {
  createPreparer,
  type Encoding,
  type Frame,
  hpaChannels,
  resizeBilinear,
} from '../../src/frames/index.js';
import { sharedData } from '../shared-data.js';
import { spec } from './frames-for-tests.js';

const colours = ['red', 'green', 'blue', 'yellow'];

function encodedFrame(encoding: Encoding, files: readonly string[]): Frame {
  return {
    id: 'real',
    widthPx: 0,
    heightPx: 0,
    pixelType: 'uint8',
    significantBits: 0,
    encoding,
    planes: files.map((file, i) => ({ channel: hpaChannels[i]!, bytes: readFileSync(file) })),
  };
}

/** A test of real frames; passes with a note where they are absent. */
function realTest(title: string, run: (t: ExecutionContext, folder: string) => Promise<void>) {
  test(title, async (t) => {
    if (sharedData === null) {
      t.log('SKIPPED: no real frames here (../shared/data)');
      t.pass();
      return;
    }
    await run(t, sharedData);
  });
}

function preparerFor(t: ExecutionContext) {
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  return preparer;
}

async function messageOf(t: ExecutionContext, frame: Frame): Promise<string> {
  const error = await t.throwsAsync(preparerFor(t).prepare(frame, spec), {
    instanceOf: DomainError,
  });
  return (error as DomainError).message;
}

realTest(
  'a full-resolution field is what a general decoder and bilinear give',
  async (t, folder) => {
    const base = join(folder, 'full-resolution/train/000a6c98-bb9b-11e8-b2b9-ac1f6b6435d0');
    const files = colours.map((colour) => `${base}_${colour}.png`);
    const { pixels } = await preparerFor(t).prepare(encodedFrame('png', files), spec);
    for (const [i, file] of files.entries()) {
      const { data, info } = await sharp(file)
        .toColourspace('b-w')
        .raw()
        .toBuffer({ resolveWithObject: true });
      const into = new Uint8Array(128 * 128);
      resizeBilinear(
        new Uint8Array(data),
        { widthPx: info.width, heightPx: info.height },
        into,
        spec,
      );
      t.deepEqual(pixels.subarray(i * 16384, (i + 1) * 16384), into);
    }
  },
);

realTest('a dictionary field says that its yellow plane is missing', async (t, folder) => {
  const files = colours
    .slice(0, 3)
    .map((c) => join(folder, `hpa-dictionary/train/dict-00-1_${c}.png`));
  t.regex(
    await messageOf(t, encodedFrame('png', files)),
    /^missing plane endoplasmic_reticulum \(yellow\): expected .*, got microtubules, protein, nucleus$/,
  );
});

realTest('ImageJ composites say that a plane is one page', async (t, folder) => {
  const five = join(folder, 'formats/8b_5c_rat_hippocampal_neuron.tif');
  t.regex(
    await messageOf(t, encodedFrame('tiff', [five, five, five, five])),
    /plane protein \(green\): expected one page, got 5/,
  );
});

realTest(
  'single-plane OME-TIFFs of 16 bit are read, brighter by their significant bits',
  async (t, folder) => {
    const name = 'formats/image--U01--V00--E02--X00--Y00--Z01--C';
    const files = ['00', '04', '00', '04'].map((c) => join(folder, `${name}${c}.ome.tif`));
    const preparer = preparerFor(t);
    const dark = await preparer.prepare(encodedFrame('tiff', files), spec);
    const twelve = {
      ...encodedFrame('tiff', files),
      significantBits: 12,
      pixelType: 'uint16',
    } as const;
    const bright = await preparer.prepare(twelve, spec);
    t.log(`16 bits: brightest ${Math.max(...dark.pixels)}; 12 bits: ${Math.max(...bright.pixels)}`);
    t.log(`flags ${dark.qualityFlags.join()} and ${bright.qualityFlags.join()}`);
    t.true(Math.max(...bright.pixels) > Math.max(...dark.pixels));
  },
);
