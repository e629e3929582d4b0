import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import test from 'ava';
import sharp from 'sharp';
import type { FrameInput } from '../../src/client/index.js';
import { type Encoding, type Frame, hpaChannels } from '../../src/frames/index.js';
import { simulateCells } from '../../src/simulator/index.js';
import { makeFolder } from '../make-folder.js';
import { sharedData } from '../shared-data.js';
import { startServe } from './serve.js';
import { importUntrained } from './untrained.js';

/** The same bytes as every plane. */
const ofBytes = (id: string, encoding: Encoding, bytes: Uint8Array): FrameInput => ({
  id,
  widthPx: 0,
  heightPx: 0,
  pixelType: 'uint8',
  significantBits: 0,
  encoding,
  planes: hpaChannels.map((channel) => ({ channel, bytes })),
});

const greyPng = (edge: number) =>
  sharp({ create: { width: edge, height: edge, channels: 3, background: '#808080' } })
    .toColourspace('b-w')
    .png()
    .toBuffer();

/** A PNG of a few kilobytes that says it has 40,000 x 40,000 pixels. */
function pngBomb(): Buffer {
  const chunk = (type: string, body: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(body.length, 0);
    head.write(type, 4, 'latin1');
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), body])), 0);
    return Buffer.concat([head, body, crc]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(40_000, 0);
  header.writeUInt32BE(40_000, 4);
  header[8] = 8;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(4_000_000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** CRC-32 of PNG (W3C PNG, annex D); node:zlib has its own from Node 20.15 and 22.2 on only. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

test('every bad frame of a stream gets a clear answer, and every good one its prediction', async (t) => {
  const folder = await makeFolder(t);
  const models = join(folder, 'models');
  await importUntrained(models, 1);
  const { client } = await startServe(t, ['--models', models]);

  const good = simulateCells({ seed: 1, labels: [0], sizePx: 64 });
  const png = await greyPng(64);
  const [first, ...others] = good.planes;
  const small = await greyPng(32);
  const bad: readonly (readonly [frame: Frame, message: RegExp])[] = [
    [{ ...good, id: 'missing plane', planes: others }, /microtubules/],
    [{ ...good, id: 'one plane twice', planes: [...good.planes, first!] }, /microtubules/],
    [
      { ...good, id: 'unknown channel', planes: [{ ...first!, channel: 'dapi' }, ...others] },
      /dapi/,
    ],
    [
      {
        ...good,
        id: 'short plane',
        planes: [{ ...first!, bytes: new Uint8Array(100) }, ...others],
      },
      /4096.*100|100.*4096/,
    ],
    [
      {
        ...ofBytes('planes of different sizes', 'png', png),
        planes: hpaChannels.map((channel, index) => ({
          channel,
          bytes: index === 2 ? small : png,
        })),
      },
      /32.*64|64.*32/,
    ],
    [ofBytes('zero bytes', 'png', new Uint8Array(0)), /.+/],
    [ofBytes('truncated png', 'png', png.subarray(0, png.length - 20)), /.+/],
    [ofBytes('no png', 'png', Buffer.from('this is not a picture')), /.+/],
    [ofBytes('png bomb', 'png', pngBomb()), /40000|40,000|pixel/],
  ];
  const fiveChannels =
    sharedData === null
      ? null
      : await readFile(join(sharedData, 'formats/8b_5c_rat_hippocampal_neuron.tif'));
  if (fiveChannels === null) t.log('SKIPPED the TIFF of 5 channels: the shared data is absent');
  const all = [
    ...bad,
    ...(fiveChannels === null
      ? []
      : [[ofBytes('tiff of 5 channels', 'tiff', fiveChannels), /.+/] as const]),
  ];

  // A good frame before, between and after the bad ones.
  const stream = [
    { ...good, id: 'good 0' },
    ...all.flatMap(([frame], index) => [frame, { ...good, id: `good ${index + 1}` }]),
  ];
  const answers = new Map<string, { outcome: string; message: string }>();
  for await (const reply of client.classify({ model: 'cells' }, copies(stream))) {
    if (reply.kind === 'prediction') answers.set(reply.prediction.frameId, reply.prediction);
  }
  t.is(answers.size, stream.length);
  for (let index = 0; index <= all.length; index += 1) {
    t.is(answers.get(`good ${index}`)?.outcome, 'ok');
  }
  for (const [frame, message] of all) {
    const answer = answers.get(frame.id);
    t.is(answer?.outcome, 'invalid', `${frame.id}: ${answer?.message}`);
    t.regex(answer?.message ?? '', message, frame.id);
    t.notRegex(answer?.message ?? '', /\/|\n|Error:|vips/, frame.id);
    t.log(`${frame.id}: ${answer?.message}`);
  }
});

/** Frames with buffers of their own, as they would come off a camera. */
function* copies(stream: readonly Frame[]): Generator<Frame> {
  for (const frame of stream) {
    yield {
      ...frame,
      planes: frame.planes.map((plane) => ({ ...plane, bytes: Uint8Array.from(plane.bytes) })),
    };
  }
}
