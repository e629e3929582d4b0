import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import sharp from 'sharp';
import { packageRoot } from '../../src/package-root.js';
import { type Cell, contactSheet, type Thumbnail } from '../../src/plots/index.js';
import { makeFolder } from '../make-folder.js';

test('frames stand in rows with their captions below', async (t) => {
  const cells = [cell(255, 0, 0), cell(0, 255, 0), cell(0, 0, 255)];
  const { pixels, width } = await decode(await contactSheet(cells, { columns: 2 }));
  // A gap of 14 pixels, frames of 40.
  t.deepEqual(pixels(14 + 20, 14 + 20), [255, 0, 0]);
  t.deepEqual(pixels(14 + 20 + 54, 14 + 20), [0, 255, 0]);
  t.is(width, 14 + 2 * 54);
  const ink = countInk(pixels, { left: 14, top: 14 + 40 + 1, width: 40, height: 20 });
  t.true(ink > 20, `${ink} pixels of caption`);
});

test('captions look the same on a machine without a font', async (t) => {
  const dir = await makeFolder(t);
  const config = join(dir, 'fonts.conf');
  await writeFile(config, '<?xml version="1.0"?><fontconfig></fontconfig>');
  const program = `
    import { contactSheet } from ${JSON.stringify(new URL('../../src/plots/index.js', import.meta.url).href)};
    const thumbnail = { edgePx: 40, rgb: new Uint8Array(4800) };
    const caption = [{ text: 'Golgi', tone: 'plain' }];
    const png = await contactSheet([{ thumbnail, caption }], { title: 'A title' });
    process.stdout.write(png.toString('base64'));`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { cwd: packageRoot, env: { PATH: process.env['PATH'], FONTCONFIG_FILE: config } },
  );
  const here = await contactSheet(
    [
      {
        thumbnail: { edgePx: 40, rgb: new Uint8Array(4800) },
        caption: [{ text: 'Golgi', tone: 'plain' }],
      },
    ],
    { title: 'A title' },
  );
  t.is(stderr, '');
  t.is(stdout, here.toString('base64'));
});

test('a caption too long for its frame is broken and then cut', async (t) => {
  const long = 'Microtubule organizing center, Nucleoli fibrillar center, Endoplasmic reticulum';
  const short = await decode(await contactSheet([cell(9, 9, 9, 'Golgi')]));
  const cut = await decode(await contactSheet([cell(9, 9, 9, long)]));
  t.is(cut.width, short.width);
  t.is(cut.height, short.height + 32);
  // Nothing is drawn in the margin beside the frame.
  t.is(countInk(cut.pixels, { left: 14 + 41, top: 0, width: 13, height: cut.height }), 0);
});

test('no frames give an empty sheet', async (t) => {
  const { width, height } = await sharp(await contactSheet([])).metadata();
  t.true(Number(width) > 0 && Number(height) > 0);
});

function cell(red: number, green: number, blue: number, text = 'Golgi'): Cell {
  const rgb = new Uint8Array(40 * 40 * 3);
  for (let at = 0; at < rgb.length; at += 3) rgb.set([red, green, blue], at);
  const thumbnail: Thumbnail = { edgePx: 40, rgb };
  return { thumbnail, caption: [{ text, tone: 'plain' }] };
}

type Pixels = (x: number, y: number) => readonly number[];

async function decode(png: Buffer) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels: Pixels = (x, y) => {
    const at = (y * width + x) * channels;
    return Array.from(data.subarray(at, at + 3));
  };
  return { width, height, pixels };
}

function countInk(
  pixels: Pixels,
  area: { left: number; top: number; width: number; height: number },
): number {
  let count = 0;
  for (let y = area.top; y < area.top + area.height; y += 1) {
    for (let x = area.left; x < area.left + area.width; x += 1) {
      if ((pixels(x, y)[0] ?? 255) < 160) count += 1;
    }
  }
  return count;
}
