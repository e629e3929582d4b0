import sharp from 'sharp';
import type { HeatLayer } from './overlay.js';

/**
 * A coarse map as a plane of the frame that it is about, an 8-bit grey PNG to be laid over its
 * channels: between the cells of the map interpolated, 0 where the map does not reach.
 */
export async function toMapPlane(
  { levels, widthPx, heightPx, box }: HeatLayer,
  frame: { readonly widthPx: number; readonly heightPx: number },
): Promise<Buffer> {
  const across = spanOf(box.left, box.right, frame.widthPx);
  const down = spanOf(box.top, box.bottom, frame.heightPx);
  return sharp(levels, { raw: { width: widthPx, height: heightPx, channels: 1 } })
    .resize(across.length, down.length, { fit: 'fill', kernel: 'linear' })
    .extend({
      ...{ left: across.from, right: frame.widthPx - across.from - across.length },
      ...{ top: down.from, bottom: frame.heightPx - down.from - down.length },
      background: '#000000',
    })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** Whole pixels of an edge, one at least, that lie within two shares of it. */
function spanOf(from: number, to: number, edgePx: number): { from: number; length: number } {
  const clamped = (share: number) => Math.min(edgePx, Math.max(0, Math.round(share * edgePx)));
  const first = Math.min(edgePx - 1, clamped(from));
  return { from: first, length: Math.max(1, clamped(to) - first) };
}
