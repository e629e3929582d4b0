import sharp from 'sharp';
import { type Frame, hpaChannels, type InputSpec } from '../../src/frames/index.js';
import { simulateCells } from '../../src/simulator/index.js';

export const spec: InputSpec = {
  channels: hpaChannels,
  widthPx: 128,
  heightPx: 128,
  resize: 'bilinear',
};

export function rawFrame(sizePx: number, seed = 1): Frame {
  return simulateCells({ seed, labels: [0], sizePx });
}

/** The same pixels as `rawFrame`, as four PNG files of no stated size. */
export async function pngFrame(sizePx: number, seed = 1): Promise<Frame> {
  const frame = rawFrame(sizePx, seed);
  const raw = { width: sizePx, height: sizePx, channels: 1 } as const;
  const planes = await Promise.all(
    frame.planes.map(async ({ channel, bytes }) => ({
      channel,
      bytes: new Uint8Array(
        await sharp(bytes, { raw })
          .toColourspace('b-w')
          .png({ adaptiveFiltering: true })
          .toBuffer(),
      ),
    })),
  );
  return { ...frame, widthPx: 0, heightPx: 0, encoding: 'png', planes };
}

/** A raw frame whose four planes all hold `pixels`, each its own copy. */
export function planesOf(
  pixels: Uint8Array | Uint16Array | Float32Array,
  widthPx: number,
  heightPx: number,
  significantBits = 0,
): Frame {
  const pixelType =
    pixels instanceof Uint8Array ? 'uint8' : pixels instanceof Uint16Array ? 'uint16' : 'float32';
  return {
    id: 'made',
    widthPx,
    heightPx,
    pixelType,
    significantBits,
    encoding: 'raw',
    planes: hpaChannels.map((channel) => ({
      channel,
      bytes: new Uint8Array(pixels.slice().buffer),
    })),
  };
}

export function withPlane(frame: Frame, index: number, bytes: Uint8Array): Frame {
  const planes = frame.planes.map((plane, i) => (i === index ? { ...plane, bytes } : plane));
  return { ...frame, planes };
}
