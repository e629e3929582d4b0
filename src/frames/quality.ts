import type { QualityFlag } from './frame.js';
import type { Pixels } from './pixels.js';

/** What one pass over a plane tells. */
export interface PlaneQuality {
  readonly isFinite: boolean;
  readonly isEmpty: boolean;
  readonly isSaturated: boolean;
  readonly isDim: boolean;
}

const saturatedShare = 0.05;
const dimShare = 0.02;

/**
 * Looks at a whole plane at its own size. `full` is the brightest value its type and
 * significant bits allow. Empty: every pixel has the same value. Saturated: over 5 % of the
 * pixels are at `full`. Dim: not empty, but from darkest to brightest less than 2 % of `full`.
 */
export function measureQuality(pixels: Pixels, full: number): PlaneQuality {
  const { length } = pixels;
  const dimRange = dimShare * full;
  let darkest = pixels[0]!;
  let brightest = darkest;
  let at = 1;
  // Most planes show more than a dim range within their first rows: then only full pixels are
  // still to be counted.
  for (; at < length && brightest - darkest < dimRange; at++) {
    const value = pixels[at]!;
    if (value > brightest) brightest = value;
    else if (value < darkest) darkest = value;
  }
  const fullLimit = Math.floor(saturatedShare * length);
  // Nothing is full in a plane that was seen to its end and is dark.
  const mayBeFull = at < length || brightest >= full;
  const fullCount = mayBeFull ? countFull(pixels, full, fullLimit) : 0;
  return {
    isFinite: !(pixels instanceof Float32Array) || areFinite(pixels),
    isEmpty: brightest === darkest,
    isSaturated: fullCount > fullLimit,
    isDim: brightest !== darkest && brightest - darkest < dimRange,
  };
}

/** How many pixels are at `full` or above, counted up to one over the limit. */
function countFull(pixels: Pixels, full: number, limit: number): number {
  let count = 0;
  if (pixels instanceof Uint8Array && full === 255) {
    // Native search: few bytes of a sound plane are full, and the rest costs next to nothing.
    const bytes = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    for (let at = bytes.indexOf(255); at !== -1 && count <= limit; count++) {
      at = bytes.indexOf(255, at + 1);
    }
    return count;
  }
  for (let i = 0; i < pixels.length && count <= limit; i++) {
    if (pixels[i]! >= full) count++;
  }
  return count;
}

function areFinite(pixels: Float32Array): boolean {
  let sum = 0;
  // NaN and the infinities are the values that do not vanish when subtracted from themselves.
  for (let i = 0; i < pixels.length; i++) sum += pixels[i]! - pixels[i]!;
  return sum === 0;
}

/** The flags of a frame: those of any of its planes, each once, in the contract's order. */
export function frameFlags(planes: readonly PlaneQuality[]): QualityFlag[] {
  const flags: QualityFlag[] = [];
  if (planes.some((plane) => plane.isEmpty)) flags.push('plane_empty');
  if (planes.some((plane) => plane.isSaturated)) flags.push('saturated');
  if (planes.some((plane) => plane.isDim)) flags.push('dim');
  return flags;
}
