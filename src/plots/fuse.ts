/** One plane of a frame for people to look at. */
export interface ViewPlane {
  /** The role, as in a Frame. */
  readonly channel: string;
  /** `[H, W]`, the whole range of 16 bit whatever the source had. */
  readonly values: Uint16Array;
  /** The difference of one grey level of the source: 257 for 8 bit, 1 for 16. */
  readonly levelStep: number;
}

/** Shares of red, green and blue. The yellow plane is added at half, or it would hide the two it is made of. */
const colours: Readonly<Record<string, readonly [red: number, green: number, blue: number]>> = {
  microtubules: [1, 0, 0],
  protein: [0, 1, 0],
  nucleus: [0, 0, 1],
  endoplasmic_reticulum: [0.5, 0.5, 0],
};
const unknownColour = [0.4, 0.4, 0.4] as const;

/** Darkest and brightest share of the pixels that the stretch lets go. */
const darkShare = 0.01;
const brightShare = 0.003;
/** A plane whose pixels differ by fewer levels is noise; it is not stretched up to full light. */
const leastLevels = 12;

/**
 * Lays planes of one size over each other in the colours of the Human Protein
 * Atlas, each stretched to the range of its own pixels. For looking at only:
 * models never see this. A missing plane is left out.
 *
 * Returns `[H, W, 3]` uint8.
 */
export function fuse(planes: readonly ViewPlane[]): Uint8Array {
  const pixelCount = planes[0]?.values.length ?? 0;
  const sums = new Float32Array(pixelCount * 3);
  for (const { channel, values, levelStep } of planes) {
    if (values.length !== pixelCount) {
      throw new RangeError(`bug: fused planes of ${pixelCount} and ${values.length} pixels`);
    }
    const [red, green, blue] = colours[channel] ?? unknownColour;
    const { low, high } = rangeOf(values);
    const scale = 255 / Math.max(high - low, leastLevels * levelStep);
    for (let pixel = 0, at = 0; pixel < pixelCount; pixel += 1, at += 3) {
      const light = Math.min(255, Math.max(0, ((values[pixel] ?? 0) - low) * scale));
      sums[at] = (sums[at] ?? 0) + light * red;
      sums[at + 1] = (sums[at + 1] ?? 0) + light * green;
      sums[at + 2] = (sums[at + 2] ?? 0) + light * blue;
    }
  }
  return Uint8Array.from(Uint8ClampedArray.from(sums));
}

function rangeOf(values: Uint16Array): { low: number; high: number } {
  const counts = new Uint32Array(65_536);
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  let low = 0;
  for (let seen = counts[0] ?? 0; seen <= values.length * darkShare && low < 65_535; ) {
    low += 1;
    seen += counts[low] ?? 0;
  }
  let high = 65_535;
  for (let seen = counts[high] ?? 0; seen <= values.length * brightShare && high > 0; ) {
    high -= 1;
    seen += counts[high] ?? 0;
  }
  return { low, high };
}
