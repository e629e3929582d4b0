import { randomOf } from './random.js';
import type { MaskSpec } from './training-step.js';

/** This use of the seed; the initial weights use another. */
const firstStream = 2;

/** A mask as an input of the graph. */
export interface MaskTensor {
  readonly type: 'uint8';
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/**
 * Draws the dropout masks of one step: the same seed and step give the same masks,
 * bit for bit, on any machine and any device, and a run that is taken up again at a
 * step goes on as if it had never stopped.
 *
 * They are drawn here and not in the graph because ONNX's random operators promise
 * neither a sequence nor a state, and a hash in the graph would need integer operators
 * that some execution providers lack. A mask costs 3 ns an element: 4 ms a step of the
 * seed's network at 32 frames. Rates are rounded to 1/65536.
 *
 * `into` takes masks of an earlier step to be overwritten.
 */
export function drawDropoutMasks(
  specs: readonly MaskSpec[],
  { seed, step }: { readonly seed: number; readonly step: number },
  into: Readonly<Record<string, MaskTensor>> = {},
): Readonly<Record<string, MaskTensor>> {
  const masks: Record<string, MaskTensor> = {};
  for (const [index, { name, shape, rate }] of specs.entries()) {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = into[name]?.values ?? new Uint8Array(count);
    const random = randomOf(seed, firstStream + index, step);
    const dropBelow = Math.round(rate * 65536);
    for (let at = 0; at < count; at += 2) {
      const bits = random.next();
      values[at] = (bits & 0xffff) >= dropBelow ? 1 : 0;
      // A write past an odd end is dropped by the typed array.
      values[at + 1] = bits >>> 16 >= dropBelow ? 1 : 0;
    }
    masks[name] = { type: 'uint8', shape, values };
  }
  return masks;
}
