import { createOnnxGraphRunner, type DeviceName } from '../../engines/index.js';
import {
  buildInference,
  descriptorParts,
  type Network,
  type Parameters,
  type Whitening,
} from '../../graph/index.js';
import { fitWhitening } from './drift.js';
import type { FrameSet } from './frame-set.js';
import { runOver } from './run-over.js';

/** Training frames that are measured: their mean and covariance change little with more. */
const mostFrames = 4096;

/** Measures a network's training frames and fits the map that gives distances to them. */
export async function fitDistance(
  {
    network,
    parameters,
    training,
  }: { readonly network: Network; readonly parameters: Parameters; readonly training: FrameSet },
  { threads, device }: { readonly threads: number; readonly device: DeviceName },
): Promise<Whitening> {
  const model = buildInference(network, parameters, { withDescriptor: true });
  const runner = await createOnnxGraphRunner(model, { device, threads });
  try {
    const rows = evenly(training.frames.length, mostFrames);
    const shape = network.inputShape;
    const values = await runOver({ set: training, rows }, { output: 'descriptor', shape }, runner);
    return fitWhitening({ values, frameCount: rows.length }, descriptorParts(network));
  } finally {
    await runner.close();
  }
}

/** At most so many of `count` numbers from 0, as far apart as they can be. */
function evenly(count: number, most: number): readonly number[] {
  const taken = Math.min(count, most);
  return Array.from({ length: taken }, (_, at) => Math.floor((at * count) / taken));
}
