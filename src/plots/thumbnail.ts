import sharp, { type Sharp } from 'sharp';
import { DomainError } from '../errors.js';
import type { Frame, Plane } from '../frames/index.js';
import { fuse, type ViewPlane } from './fuse.js';

/** A square picture of a frame. */
export interface Thumbnail {
  readonly edgePx: number;
  /** `[edge, edge, 3]` uint8. */
  readonly rgb: Uint8Array;
  /** How much of each edge the frame fills, around the middle. @default all of both */
  readonly shown?: { readonly widthShare: number; readonly heightShare: number };
}

/** What one thumbnail may unpack, in pixels of one plane: a PNG bomb ends here. */
const mostPixels = 64 * 1024 * 1024;

/**
 * The planes of a frame fused for looking at; a frame that is not square keeps its
 * shape on black. Throws `frame_invalid` when a plane cannot be read.
 */
export async function toThumbnail(frame: Frame, edgePx: number): Promise<Thumbnail> {
  const planes = await Promise.all(frame.planes.map((plane) => toViewPlane(frame, plane, edgePx)));
  const [first] = planes;
  if (first === undefined) {
    throw new DomainError('frame_invalid', `frame "${frame.id}" has no planes`);
  }
  return { edgePx, rgb: fuse(planes), shown: first.shown };
}

async function toViewPlane(
  frame: Frame,
  plane: Plane,
  edgePx: number,
): Promise<ViewPlane & Required<Pick<Thumbnail, 'shown'>>> {
  try {
    const image = frame.encoding === 'raw' ? openRaw(frame, plane) : openEncoded(plane);
    const { depth, width, height } =
      frame.encoding === 'raw'
        ? { depth: frame.pixelType, width: frame.widthPx, height: frame.heightPx }
        : await image.metadata();
    const longest = Math.max(width, height);
    const { data } = await image
      .removeAlpha()
      .resize(edgePx, edgePx, { fit: 'contain', background: '#000000' })
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    const stride = data.byteLength / (2 * edgePx * edgePx);
    const all = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
    const values = Uint16Array.from({ length: edgePx * edgePx }, (_, at) => all[at * stride] ?? 0);
    return {
      channel: plane.channel,
      values,
      levelStep: depth === 'uchar' || depth === 'uint8' ? 257 : 1,
      shown: { widthShare: width / longest, heightShare: height / longest },
    };
  } catch (thrown) {
    throw new DomainError(
      'frame_invalid',
      `frame "${frame.id}": its plane "${plane.channel}" cannot be shown`,
      { cause: thrown },
    );
  }
}

function openEncoded({ bytes }: Plane): Sharp {
  return sharp(bytes, { limitInputPixels: mostPixels });
}

/** Raw pixels brought to 16 bit; sharp takes its pixel type from the kind of array. */
function openRaw(frame: Frame, { bytes }: Plane): Sharp {
  const { widthPx: width, heightPx: height, pixelType, significantBits } = frame;
  const count = width * height;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Uint16Array(count);
  if (pixelType === 'uint8') {
    for (let at = 0; at < count; at += 1) values[at] = (bytes[at] ?? 0) * 257;
  } else if (pixelType === 'uint16') {
    const shift = significantBits === 0 ? 0 : 16 - significantBits;
    for (let at = 0; at < count; at += 1) values[at] = view.getUint16(at * 2, true) << shift;
  } else {
    let most = 0;
    for (let at = 0; at < count; at += 1) most = Math.max(most, view.getFloat32(at * 4, true));
    for (let at = 0; at < count && most > 0; at += 1) {
      values[at] = Math.max(0, (view.getFloat32(at * 4, true) / most) * 65_535);
    }
  }
  return sharp(values, { raw: { width, height, channels: 1 } });
}
