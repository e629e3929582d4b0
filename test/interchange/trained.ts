import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { buildInference, type Network, planNetwork, randomOf } from '../../src/graph/index.js';
import type { TrainedNetwork } from '../../src/interchange/index.js';

/** The first network's kinds of layers, small, with other sizes at every turn. */
export const smallCnn: Network = {
  name: 'small-cnn',
  inputShape: [3, 14, 12],
  layers: [
    { kind: 'conv', name: 'conv1', filters: 4, kernelPx: 3 },
    { kind: 'relu' },
    { kind: 'conv', name: 'conv2', filters: 5, kernelPx: 3 },
    { kind: 'relu' },
    { kind: 'maxPool', sizePx: 2 },
    { kind: 'flatten' },
    { kind: 'dense', name: 'dense1', units: 7 },
    { kind: 'relu' },
    { kind: 'dense', name: 'dense2', units: 4 },
  ],
};

/** A network with weights and biases that are random, so that no two are alike. */
export function trained(network: Network, seed = 1): TrainedNetwork {
  const parameters = planNetwork(network).parameters.map(({ name, shape }, index) => {
    const random = randomOf(seed, 9, index);
    const count = shape.reduce((product, size) => product * size, 1);
    const fanIn = shape.length === 2 ? Number(shape[0]) : count / Number(shape[0]);
    const reach = 2 / Math.sqrt(Math.max(1, fanIn));
    const values = Float32Array.from(
      { length: count },
      () => (random.next() / 2 ** 31) * (shape.length === 1 ? 0.2 : reach),
    );
    return [name, { shape, values }] as const;
  });
  return { network, parameters: new Map(parameters) };
}

/** What a network answers in ONNX Runtime; pixels uint8 `[N, C, H, W]`. */
export async function answerOf(
  { network, parameters }: TrainedNetwork,
  pixels: Uint8Array,
): Promise<Float32Array> {
  const [channels, heightPx, widthPx] = network.inputShape;
  const frameCount = pixels.length / (channels * heightPx * widthPx);
  const runner = await createOnnxGraphRunner(buildInference(network, parameters), { threads: 1 });
  try {
    const { probabilities } = await runner.run({
      pixels: { type: 'uint8', shape: [frameCount, ...network.inputShape], values: pixels },
    });
    return probabilities?.values as Float32Array; // buildInference says so
  } finally {
    await runner.close();
  }
}

/** The largest distance; NaN where one is not a number or they differ in length. */
export function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length || a.length === 0) return Number.NaN;
  return Array.from(a, (value, at) => Math.abs(value - (b[at] ?? Number.NaN))).reduce(
    (most, one) => (one <= most ? most : one),
    0,
  );
}
