/** The largest number of IEEE 754 binary16. */
export const largestHalf = 65504;

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/**
 * The bits of the nearest binary16 of a float32, ties to even, as the runtime's Cast rounds.
 * What is too large becomes infinity; Node 20 has no Float16Array that would do it.
 */
export function toHalfBits(value: number): number {
  floats[0] = value;
  const bits = words[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  // 65520 and more round away from the largest.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Rebias the exponent from 127 to 15, and round the 13 bits that go.
    const rounded = magnitude + 0x0fff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // Below 2^-14 the step is 2^-24; the sum's own rounding is to even.
  const steps = Math.abs(value) * 2 ** 24;
  const low = Math.floor(steps);
  const rest = steps - low;
  const isUp = rest > 0.5 || (rest === 0.5 && low % 2 === 1);
  return sign | (isUp ? low + 1 : low);
}

/** All of them; `null` where one that is finite would become infinite. */
export function toHalves(values: Float32Array): Uint16Array | null {
  const halves = new Uint16Array(values.length);
  for (let at = 0; at < values.length; at += 1) {
    const bits = toHalfBits(values[at]!);
    if ((bits & 0x7fff) === 0x7c00 && Number.isFinite(values[at])) return null;
    halves[at] = bits;
  }
  return halves;
}
