import { startOurStepper } from './stepper.js';

export interface TrainingMemoryOptions {
  /** @default 32 */
  readonly batchSize?: number;
  /** Edge of the frames, of four channels. @default 256 */
  readonly sizePx?: number;
}

/**
 * Measures the peak memory of a process that trains this network on larger frames with two
 * threads, MiB. Two steps: the first allocates, the second finds what the first has left.
 */
export async function measureTrainingMemory(
  network: 'seed-cnn' | 'resnet-small',
  { batchSize = 32, sizePx = 256 }: TrainingMemoryOptions = {},
): Promise<number> {
  const stepper = await startOurStepper([2, batchSize, 'cpu', 1, network, sizePx]);
  await stepper.step();
  await stepper.step();
  return stepper.end();
}
