import type { Network, Parameters } from './network.js';
import { planNetwork } from './network-plan.js';
import { randomOf } from './random.js';

/** This use of the seed; dropout uses another. */
const stream = 1;

/**
 * Weights to start a training from: kernels uniform within ±√(6 / (fan in + fan out)),
 * biases zero, gains one. The fans are Keras's: for a convolution, channels or filters times the
 * kernel's area. The same seed gives the same weights, bit for bit, on any machine.
 *
 * Source: Glorot and Bengio, AISTATS 2010, equation 16.
 */
export function initialiseParameters(network: Network, seed: number): Parameters {
  const entries = planNetwork(network).parameters.map(({ name, shape, fans, start = 0 }, index) => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    if (!fans) values.fill(start);
    else {
      const limit = Math.sqrt(6 / (fans.in + fans.out));
      const random = randomOf(seed, stream, index);
      for (let at = 0; at < values.length; at += 1) {
        values[at] = (random.next() / 2 ** 31) * limit;
      }
    }
    return [name, { shape, values }] as const;
  });
  return new Map(entries);
}
