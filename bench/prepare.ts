import sharp from 'sharp';
import { hpaChannels, type InputSpec } from '../src/frames/index.js';
import { preparePlanes } from '../src/frames/prepare-planes.js';
import { simulateCells } from '../src/simulator/index.js';

/** CPU time of one frame, on all threads together, by our way and by sharp's. */
export interface PrepareMeasure {
  readonly bits: 8 | 16;
  readonly oursMs: number;
  readonly sharpMs: number;
  /** Ours ÷ sharp's; the goal at 8 bits is 0.4. */
  readonly ratio: number;
}

const sizePx = 512;
const spec: InputSpec = { channels: hpaChannels, widthPx: 128, heightPx: 128, resize: 'bilinear' };

/**
 * Measures the CPU cost of preparing a frame of four 512 x 512 PNG planes (simulated cells,
 * adaptive filters) for a 128 x 128 model, against sharp's decode and resize of the same
 * bytes. Both run in rounds that take turns, so that the machine's mood meets both; the
 * medians are compared.
 */
export async function measurePrepare(bits: 8 | 16 = 8, rounds = 15): Promise<PrepareMeasure> {
  const planes = await encodePlanes(bits);
  const frame = {
    widthPx: 0,
    heightPx: 0,
    pixelType: bits === 8 ? 'uint8' : 'uint16',
    significantBits: 0,
    encoding: 'png',
  } as const;
  const ours = () => preparePlanes({ frame, spec, planes, maxPixels: 4096 * 4096 });
  const theirs = () => Promise.all(planes.map((bytes) => resizeWithSharp(bytes, bits)));
  const oursMs: number[] = [];
  const sharpMs: number[] = [];
  sharp.cache(false);
  for (let round = -3; round < rounds; round++) {
    const [one, other] = [await cpuMs(ours), await cpuMs(theirs)];
    // the first rounds warm up
    if (round < 0) continue;
    oursMs.push(one);
    sharpMs.push(other);
  }
  const [one, other] = [median(oursMs), median(sharpMs)];
  return { bits, oursMs: one, sharpMs: other, ratio: one / other };
}

async function resizeWithSharp(bytes: Uint8Array, bits: 8 | 16): Promise<void> {
  await sharp(bytes)
    .resize(spec.widthPx, spec.heightPx, { kernel: 'linear', fit: 'fill' })
    .toColourspace(bits === 8 ? 'b-w' : 'grey16')
    .raw({ depth: bits === 8 ? 'uchar' : 'ushort' })
    .toBuffer();
}

async function encodePlanes(bits: 8 | 16): Promise<Uint8Array[]> {
  const { planes } = simulateCells({ seed: 1, labels: [23], sizePx });
  return Promise.all(
    planes.map(async ({ bytes }, plane) => {
      // A 16-bit camera sees noise below the 8-bit levels as well.
      const pixels =
        bits === 8
          ? bytes
          : Uint16Array.from(bytes, (value, i) => value * 200 + ((i * 7919 + plane) % 97));
      const raw = { width: sizePx, height: sizePx, channels: 1 } as const;
      const png = await sharp(pixels, { raw })
        .toColourspace(bits === 8 ? 'b-w' : 'grey16')
        .png({ adaptiveFiltering: true })
        .toBuffer();
      return new Uint8Array(png);
    }),
  );
}

/** CPU milliseconds a call costs, over ten calls. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < 10; i++) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 10_000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  for (const bits of [8, 16] as const) {
    const { oursMs, sharpMs, ratio } = await measurePrepare(bits);
    console.log(
      `prepare, four 512 x 512 ${bits}-bit PNG planes: ${oursMs.toFixed(1)} ms of CPU a frame, ` +
        `sharp ${sharpMs.toFixed(1)} ms, ratio ${ratio.toFixed(2)}${bits === 8 ? ' (goal 0.40)' : ''}`,
    );
  }
}
