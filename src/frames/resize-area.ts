import type { LinearTable } from './interpolate.js';
import { createTableCache, type Pixels, roundHalfEven, type SizePx } from './pixels.js';
import { resizeBy } from './resize-by.js';
import type { AreaTable, ResizePlan } from './resize-plan.js';

/**
 * Resizes one plane as OpenCV's `INTER_AREA` does: each target pixel is the mean of the
 * source area it covers. 8-bit planes are equal to OpenCV 5.0 bit for bit. Where an axis
 * grows there is no area to average, and OpenCV mixes the two nearest pixels with weights
 * of their own; so does this.
 *
 * `into` holds `to.widthPx * to.heightPx` pixels of the source's type.
 */
export function resizeArea<P extends Pixels>(source: P, from: SizePx, into: P, to: SizePx): void {
  resizeBy(planArea(from, to), source, from, into, to);
}

/** How `resizeArea` goes about it. */
export function planArea(from: SizePx, to: SizePx): ResizePlan {
  if (from.widthPx === to.widthPx && from.heightPx === to.heightPx) return { kind: 'same' };
  if (from.widthPx < to.widthPx || from.heightPx < to.heightPx) {
    const x = growTable(from.widthPx, to.widthPx);
    return { kind: 'mix', x, y: growTable(from.heightPx, to.heightPx) };
  }
  const boxWidth = from.widthPx / to.widthPx;
  const boxHeight = from.heightPx / to.heightPx;
  if (Number.isInteger(boxWidth) && Number.isInteger(boxHeight)) {
    return { kind: 'boxes', boxWidth, boxHeight };
  }
  const x = areaTable(from.widthPx, to.widthPx);
  return { kind: 'areas', x, y: areaTable(from.heightPx, to.heightPx) };
}

const areaTable = createTableCache((from, to): AreaTable => {
  const start = new Int32Array(to + 1);
  const positions: number[] = [];
  const weights: number[] = [];
  const step = 1 / (to / from);
  const add = (position: number, weight: number) => {
    positions.push(position);
    weights.push(weight);
  };
  for (let i = 0; i < to; i++) {
    const begin = i * step;
    const end = begin + step;
    const cell = Math.min(step, from - begin);
    const lastWhole = Math.min(Math.floor(end), from - 1);
    const firstWhole = Math.min(Math.ceil(begin), lastWhole);
    // Slivers below a thousandth are dropped, as OpenCV drops them.
    if (firstWhole - begin > 1e-3) add(firstWhole - 1, (firstWhole - begin) / cell);
    for (let position = firstWhole; position < lastWhole; position++) add(position, 1 / cell);
    if (end - lastWhole > 1e-3) add(lastWhole, Math.min(end - lastWhole, 1, cell) / cell);
    start[i + 1] = positions.length;
  }
  return { start, position: Int32Array.from(positions), weight: Float32Array.from(weights) };
});

const growTable = createTableCache((from, to): LinearTable => {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const fraction = new Float32Array(to);
  const firstFixed = new Int32Array(to);
  const secondFixed = new Int32Array(to);
  const growth = to / from;
  const step = 1 / growth;
  for (let i = 0; i < to; i++) {
    const position = Math.floor(i * step);
    const reach = Math.fround(i + 1 - (position + 1) * growth);
    const weight = reach <= 0 ? 0 : Math.fround(reach - Math.floor(reach));
    first[i] = Math.min(position, from - 1);
    second[i] = Math.min(position + 1, from - 1);
    fraction[i] = weight;
    firstFixed[i] = roundHalfEven(Math.fround(Math.fround(1 - weight) * 2048));
    secondFixed[i] = roundHalfEven(Math.fround(weight * 2048));
  }
  return { first, second, fraction, firstFixed, secondFixed };
});
