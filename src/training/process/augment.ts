import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { RunSpec } from '../run.js';

/** Sizes of a frame `[C, H, W]`. */
export interface FrameSize {
  readonly channels: number;
  readonly heightPx: number;
  readonly widthPx: number;
}

/**
 * How a frame is varied: cells lie in any direction, are seen at about one scale, and are
 * stained more or less brightly from plate to plate.
 */
export interface Variation {
  /** Quarter turns against the clock, after the mirroring. Odd ones are for square frames. */
  readonly turns: 0 | 1 | 2 | 3;
  /** Left and right are exchanged. */
  readonly isMirrored: boolean;
  /** The window that is looked at, in parts of the frame; beyond the frame it is dark. */
  readonly window: { readonly x: number; readonly y: number; readonly size: number };
  /** Of each channel: `255 · gain · (value / 255)^gamma`. */
  readonly intensities: readonly { readonly gain: number; readonly gamma: number }[];
}

/** How far variations go. */
export interface VariationRange {
  /** The window's size, in parts of the frame: 2 shows cells half as large. */
  readonly window: { readonly least: number; readonly most: number };
  /** Logarithms of gain and gamma lie within ± this. */
  readonly intensity: number;
}

const intensity = 0.25;

/** How far the frames of a training are varied, by what its spec asks for. */
export const variationRanges = {
  cells: { window: { least: 0.85, most: 1.15 }, intensity },
  // Cells that others cut out of their fields fill a sixth to all of a frame.
  sizes: { window: { least: 0.8, most: 2.2 }, intensity },
} as const satisfies Readonly<Record<Exclude<RunSpec['augmentation'], 'none'>, VariationRange>>;

/** A frame as it is. */
export const noVariation = ({ channels }: Pick<FrameSize, 'channels'>): Variation => ({
  turns: 0,
  isMirrored: false,
  window: { x: 0, y: 0, size: 1 },
  intensities: Array.from({ length: channels }, () => ({ gain: 1, gamma: 1 })),
});

/** Draws a variation; the same generator gives the same one. */
export function drawVariation(
  random: RandomGenerator,
  { channels, heightPx, widthPx }: FrameSize,
  { window: { least, most }, intensity }: VariationRange,
): Variation {
  const part = (): number => (random.next() >>> 0) / 2 ** 32;
  const around = (range: number): number => range * (2 * part() - 1);
  const quarter = Math.floor(4 * part());
  // A frame that is wider than high stays so.
  const turns = heightPx === widthPx ? quarter : quarter - (quarter % 2);
  const isMirrored = part() < 0.5;
  const size = least + (most - least) * part();
  return {
    turns: turns as Variation['turns'], // 0 to 3 by the floor above
    isMirrored,
    window: { x: part() * (1 - size), y: part() * (1 - size), size },
    intensities: Array.from({ length: channels }, () => ({
      gain: Math.exp(around(intensity)),
      gamma: Math.exp(around(intensity)),
    })),
  };
}

/**
 * Writes a varied frame into `into`; both are uint8 `[C, H, W]` and must not overlap. One
 * pass, whatever is varied. Without a window of another size every pixel is moved whole;
 * else it is interpolated between its four neighbours.
 */
export function varyFrame(
  frame: Uint8Array,
  { channels, heightPx, widthPx }: FrameSize,
  { turns, isMirrored, window, intensities }: Variation,
  into: Uint8Array,
): void {
  const isTurned = turns % 2 === 1;
  // Which way the source is walked along as x and y of the result grow.
  const [xBackward, yBackward] = directions[turns]!;
  const along = { ...window, isBackward: xBackward !== (isMirrored && !isTurned) };
  const down = { ...window, isBackward: yBackward !== (isMirrored && isTurned) };
  const xStep = isTurned ? widthPx : 1;
  const yStep = isTurned ? 1 : widthPx;
  const columns = tapsOf(widthPx, { ...along, start: isTurned ? window.y : window.x, step: xStep });
  const rows = tapsOf(heightPx, { ...down, start: isTurned ? window.x : window.y, step: yStep });
  const plane = heightPx * widthPx;
  for (let channel = 0; channel < channels; channel += 1) {
    const curve = curveOf(intensities[channel]!);
    const from = channel * plane;
    let at = from;
    for (let y = 0; y < heightPx; y += 1) {
      const [upper, lower] = [from + rows.first[y]!, from + rows.second[y]!];
      const [upperWeight, lowerWeight] = [rows.firstWeight[y]!, rows.secondWeight[y]!];
      for (let x = 0; x < widthPx; x += 1, at += 1) {
        const [left, right] = [columns.first[x]!, columns.second[x]!];
        const [leftWeight, rightWeight] = [columns.firstWeight[x]!, columns.secondWeight[x]!];
        const above = leftWeight * frame[upper + left]! + rightWeight * frame[upper + right]!;
        const below = leftWeight * frame[lower + left]! + rightWeight * frame[lower + right]!;
        into[at] = curve[(upperWeight * above + lowerWeight * below + 32768) >> 16]!;
      }
    }
  }
}

/**
 * For each number of turns, whether the source's axis that x of the result walks along,
 * and the one that y walks along, is walked backward.
 */
const directions: readonly (readonly [x: boolean, y: boolean])[] = [
  [false, false],
  [false, true],
  [true, true],
  [true, false],
];

/** The two source pixels of each place along one axis, as offsets, and their weights of 256. */
interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly firstWeight: Int32Array;
  readonly secondWeight: Int32Array;
}

function tapsOf(
  sizePx: number,
  {
    start,
    size,
    step,
    isBackward,
  }: {
    readonly start: number;
    readonly size: number;
    readonly step: number;
    readonly isBackward: boolean;
  },
): Taps {
  const taps: Taps = {
    first: new Int32Array(sizePx),
    second: new Int32Array(sizePx),
    firstWeight: new Int32Array(sizePx),
    secondWeight: new Int32Array(sizePx),
  };
  for (let at = 0; at < sizePx; at += 1) {
    const place = (at + 0.5) * size + start * sizePx - 0.5;
    const source = isBackward ? sizePx - 1 - place : place;
    // Beyond the frame there is nothing; within half a pixel of its edge, the edge.
    if (source < -0.5 || source > sizePx - 0.5) continue;
    const whole = Math.floor(source);
    const weight = Math.round((source - whole) * 256);
    taps.first[at] = Math.max(whole, 0) * step;
    taps.second[at] = Math.min(whole + 1, sizePx - 1) * step;
    taps.firstWeight[at] = 256 - weight;
    taps.secondWeight[at] = weight;
  }
  return taps;
}

function curveOf({ gain, gamma }: Variation['intensities'][number]): Uint8ClampedArray {
  const curve = new Uint8ClampedArray(256);
  for (let value = 0; value < 256; value += 1) {
    curve[value] = 255 * gain * (value / 255) ** gamma;
  }
  return curve;
}
