import { createOnnxGraphRunner } from '../src/engines/index.js';
import { buildInference, initialiseParameters } from '../src/graph/index.js';
import { simulateCells } from '../src/simulator/index.js';
import { createNetwork } from '../src/training/networks/index.js';
import { median } from './median.js';

/** Networks that are compared: the first one is what the others stand beside. */
const names = ['seed-cnn', 'resnet-small', 'resnet-large'] as const;
type NetworkName = (typeof names)[number];

const shape = { channels: 4, heightPx: 128, widthPx: 128, labelCount: 28 } as const;

/**
 * Measures how long each network, as it is served and with its first weights, takes to answer
 * one frame of 4 x 128 x 128 on one thread: medians in ms over rounds in which they take turns,
 * so that the machine's mood meets all.
 */
export async function measureNetworks(
  rounds = 200,
): Promise<Readonly<Record<NetworkName, number>>> {
  // Cells of every label in turn: what a run takes depends on the pixels.
  const frames = Array.from({ length: shape.labelCount }, (_, label) => {
    const { planes } = simulateCells({ seed: label, labels: [label], sizePx: shape.widthPx });
    const values = new Uint8Array(Buffer.concat(planes.map(({ bytes }) => bytes)));
    return {
      type: 'uint8',
      shape: [1, planes.length, shape.heightPx, shape.widthPx],
      values,
    } as const;
  });
  const measured = await Promise.all(
    names.map(async (name) => {
      const network = createNetwork(name, shape);
      const model = buildInference(network, initialiseParameters(network, 1));
      const runner = await createOnnxGraphRunner(model, { threads: 1 });
      return { name, runner, times: [] as number[] };
    }),
  );
  for (let round = -frames.length; round < rounds; round += 1) {
    const pixels = frames[(round + frames.length) % frames.length]!;
    for (const { runner, times } of measured) {
      const startedAt = performance.now();
      await runner.run({ pixels });
      // The first rounds warm up.
      if (round >= 0) times.push(performance.now() - startedAt);
    }
  }
  const medians = new Map(measured.map(({ name, times }) => [name, median(times)]));
  for (const { runner } of measured) await runner.close();
  return Object.fromEntries(medians) as Record<NetworkName, number>; // each name has its median
}
