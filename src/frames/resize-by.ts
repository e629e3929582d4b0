import { interpolate } from './interpolate.js';
import { type Pixels, roundHalfEven, type SizePx } from './pixels.js';
import type { AreaTable, ResizePlan } from './resize-plan.js';

/** Brings one plane to another size as its plan says; `into` holds pixels of the source's type. */
export function resizeBy<P extends Pixels>(
  plan: ResizePlan,
  source: P,
  from: SizePx,
  into: P,
  to: SizePx,
): void {
  if (plan.kind === 'same') into.set(source.subarray(0, into.length));
  else if (plan.kind === 'mix') interpolate(source, from, into, to, plan);
  else if (plan.kind === 'boxes') averageBoxes(source, from.widthPx, into, to, plan);
  else averageAreas(source, from.widthPx, into, to, plan);
}

/** Whole boxes of pixels: sums are exact, one rounding at the end. */
function averageBoxes(
  source: Pixels,
  stride: number,
  into: Pixels,
  to: SizePx,
  { boxWidth, boxHeight }: { readonly boxWidth: number; readonly boxHeight: number },
): void {
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

function averageAreas(
  source: Pixels,
  stride: number,
  into: Pixels,
  { widthPx, heightPx }: SizePx,
  { x, y }: { readonly x: AreaTable; readonly y: AreaTable },
): void {
  // float32 sums in OpenCV's order, for equality to the last bit
  const sums = new Float32Array(widthPx);
  const isInteger = !(into instanceof Float32Array);
  for (let row = 0; row < heightPx; row++) {
    sums.fill(0);
    for (let j = y.start[row]!; j < y.start[row + 1]!; j++) {
      const line = y.position[j]! * stride;
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
