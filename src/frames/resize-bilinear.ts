import type { LinearTable } from './interpolate.js';
import { createTableCache, type Pixels, roundHalfEven, type SizePx } from './pixels.js';
import { planArea } from './resize-area.js';
import { resizeBy } from './resize-by.js';
import type { ResizePlan } from './resize-plan.js';

/**
 * Resizes one plane as OpenCV's `INTER_LINEAR` does: half-pixel centres, the two nearest
 * pixels of each axis, no smoothing before shrinking. 8-bit planes are equal to OpenCV 5.0
 * bit for bit, 16-bit planes within 1, float32 planes within 1e-7.
 *
 * Halving both axes at once is OpenCV's own exception: it averages 2 x 2 pixels there.
 *
 * `into` holds `to.widthPx * to.heightPx` pixels of the source's type. Nothing is allocated
 * but the tables of a size met for the first time.
 */
export function resizeBilinear<P extends Pixels>(
  source: P,
  from: SizePx,
  into: P,
  to: SizePx,
): void {
  resizeBy(planBilinear(from, to), source, from, into, to);
}

/** How `resizeBilinear` goes about it. */
export function planBilinear(from: SizePx, to: SizePx): ResizePlan {
  if (from.widthPx === to.widthPx && from.heightPx === to.heightPx) return { kind: 'same' };
  if (from.widthPx === 2 * to.widthPx && from.heightPx === 2 * to.heightPx) {
    return planArea(from, to);
  }
  const x = columnTable(from.widthPx, to.widthPx);
  return { kind: 'mix', x, y: rowTable(from.heightPx, to.heightPx) };
}

// OpenCV drops the weight of a column beyond the edge, but for rows repeats the edge row with
// both weights: the same but for a truncation, which bit-exactness must follow.
const columnTable = createTableCache((from, to) => linearTable(from, to, true));
const rowTable = createTableCache((from, to) => linearTable(from, to, false));

function linearTable(from: number, to: number, isColumn: boolean): LinearTable {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const fraction = new Float32Array(to);
  const firstFixed = new Int32Array(to);
  const secondFixed = new Int32Array(to);
  const step = 1 / (to / from);
  for (let i = 0; i < to; i++) {
    const centre = Math.fround((i + 0.5) * step - 0.5);
    let position = Math.floor(centre);
    let weight = Math.fround(centre - position);
    if (isColumn && position < 0) [position, weight] = [0, 0];
    if (isColumn && position >= from - 1) [position, weight] = [from - 1, 0];
    first[i] = Math.min(Math.max(position, 0), from - 1);
    second[i] = Math.min(Math.max(position + 1, 0), from - 1);
    fraction[i] = weight;
    firstFixed[i] = roundHalfEven(Math.fround(Math.fround(1 - weight) * 2048));
    secondFixed[i] = roundHalfEven(Math.fround(weight * 2048));
  }
  return { first, second, fraction, firstFixed, secondFixed };
}
