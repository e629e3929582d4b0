import { interpolate, type LinearTable } from './interpolate.js';
import { createTableCache, type Pixels, roundHalfEven, type SizePx } from './pixels.js';

/**
 * Resizes one plane as OpenCV's `INTER_AREA` does: each target pixel is the mean of the
 * source area it covers. 8-bit planes are equal to OpenCV 5.0 bit for bit. Where an axis
 * grows there is no area to average, and OpenCV mixes the two nearest pixels with weights
 * of their own; so does this.
 *
 * `into` holds `to.widthPx * to.heightPx` pixels of the source's type.
 */
export function resizeArea<P extends Pixels>(source: P, from: SizePx, into: P, to: SizePx): void {
  if (from.widthPx === to.widthPx && from.heightPx === to.heightPx) {
    into.set(source.subarray(0, into.length));
  } else if (from.widthPx < to.widthPx || from.heightPx < to.heightPx) {
    const tables = {
      x: growTable(from.widthPx, to.widthPx),
      y: growTable(from.heightPx, to.heightPx),
    };
    interpolate(source, from, into, to, tables);
  } else if (from.widthPx % to.widthPx === 0 && from.heightPx % to.heightPx === 0) {
    averageBoxes(source, from, into, to);
  } else {
    averageAreas(source, from, into, to);
  }
}

/** Whole boxes of pixels: sums are exact, one rounding at the end. */
function averageBoxes(source: Pixels, from: SizePx, into: Pixels, to: SizePx): void {
  const stride = from.widthPx;
  const boxWidth = stride / to.widthPx;
  const boxHeight = from.heightPx / to.heightPx;
  const isInteger = !(into instanceof Float32Array);
  // OpenCV's 2 x 2 boxes round halves up, all others to even.
  const isQuad = isInteger && boxWidth === 2 && boxHeight === 2;
  const share = Math.fround(1 / (boxWidth * boxHeight));
  let at = 0;
  for (let row = 0; row < to.heightPx; row++) {
    const top = row * boxHeight * stride;
    for (let column = 0; column < to.widthPx; column++) {
      let start = top + column * boxWidth;
      let sum = 0;
      for (let y = 0; y < boxHeight; y++, start += stride) {
        for (let x = 0; x < boxWidth; x++) sum += source[start + x]!;
      }
      if (isQuad) into[at++] = (sum + 2) >> 2;
      else if (isInteger) into[at++] = roundHalfEven(Math.fround(Math.fround(sum) * share));
      else into[at++] = sum * share;
    }
  }
}

/** For each target position the source positions `start[i]..start[i+1]` of `parts`. */
interface AreaTable {
  readonly start: Int32Array;
  readonly position: Int32Array;
  readonly weight: Float32Array;
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

function averageAreas(source: Pixels, from: SizePx, into: Pixels, to: SizePx): void {
  const { widthPx, heightPx } = to;
  const x = areaTable(from.widthPx, widthPx);
  const y = areaTable(from.heightPx, heightPx);
  // float32 sums in OpenCV's order, for equality to the last bit
  const sums = new Float32Array(widthPx);
  const isInteger = !(into instanceof Float32Array);
  for (let row = 0; row < heightPx; row++) {
    sums.fill(0);
    for (let j = y.start[row]!; j < y.start[row + 1]!; j++) {
      const line = y.position[j]! * from.widthPx;
      const rowWeight = y.weight[j]!;
      for (let column = 0; column < widthPx; column++) {
        const end = x.start[column + 1]!;
        let sum = 0;
        for (let k = x.start[column]!; k < end; k++) {
          sum = Math.fround(sum + Math.fround(source[line + x.position[k]!]! * x.weight[k]!));
        }
        sums[column] = sums[column]! + Math.fround(sum * rowWeight);
      }
    }
    const at = row * widthPx;
    for (let column = 0; column < widthPx; column++) {
      into[at + column] = isInteger ? roundHalfEven(sums[column]!) : sums[column]!;
    }
  }
}

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
