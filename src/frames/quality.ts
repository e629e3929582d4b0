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
  let darkest = pixels[0]!;
  let brightest = darkest;
  let fullCount = 0;
  let finiteness = 0;
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i]!;
    if (value > brightest) brightest = value;
    else if (value < darkest) darkest = value;
    if (value >= full) fullCount++;
    // NaN and the infinities are the values that do not vanish when subtracted from themselves.
    finiteness += value - value;
  }
  return {
    isFinite: finiteness === 0,
    isEmpty: brightest === darkest,
    isSaturated: fullCount > saturatedShare * pixels.length,
    isDim: brightest !== darkest && brightest - darkest < dimShare * full,
  };
}

/** The flags of a frame: those of any of its planes, each once, in the contract's order. */
export function frameFlags(planes: readonly PlaneQuality[]): QualityFlag[] {
  const flags: QualityFlag[] = [];
  if (planes.some((plane) => plane.isEmpty)) flags.push('plane_empty');
  if (planes.some((plane) => plane.isSaturated)) flags.push('saturated');
  if (planes.some((plane) => plane.isDim)) flags.push('dim');
  return flags;
}
