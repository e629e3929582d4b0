import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/package-root.js';
import { median } from './median.js';
import { startOurStepper, startStepper } from './stepper.js';

/** How the training step is measured. */
export interface TrainingStepBenchOptions {
  /** Threads of either side. @default 2 */
  readonly threads?: number;
  /** Frames a step, 4 by 128 by 128. @default 32 */
  readonly batchSize?: number;
  /** Rounds of one step of each, after three to warm up. @default 7 */
  readonly rounds?: number;
  /** A Python that has PyTorch. @default '/usr/bin/python3' */
  readonly python?: string;
}

/** Medians of the rounds; nulls where the yardstick is missing. */
export interface TrainingStepBench {
  /** Of `seed-cnn`. */
  readonly stepMs: number;
  readonly peakMib: number;
  readonly yardstickMs: number | null;
  readonly yardstickPeakMib: number | null;
  /** Ours over PyTorch's. At most 0.7 is the goal. */
  readonly ratio: number | null;
  /** A step of `resnet-small`. */
  readonly residualMs: number;
}

/** The goals of the README's table. */
const goal = { ratio: 0.7, peakMib: 1536 };

/**
 * Measures a training step of `seed-cnn` against PyTorch's on the same cores, and one of
 * `resnet-small` beside it, step by step in turn, so that all meet the same weather. Prints
 * what it finds.
 */
export async function benchTrainingStep(
  {
    threads = 2,
    batchSize = 32,
    rounds = 7,
    python = '/usr/bin/python3',
  }: TrainingStepBenchOptions,
  print: (line: string) => void,
): Promise<TrainingStepBench> {
  const args = [String(threads), String(batchSize)];
  const ours = await startOurStepper(args);
  const yardstick = existsSync(python)
    ? await startStepper(python, [join(packageRoot, 'bench/training_step_torch.py'), ...args])
    : null;
  const residual = await startOurStepper([...args, 'cpu', 1, 'resnet-small']);
  const [times, yardstickTimes, residualTimes]: [number[], number[], number[]] = [[], [], []];
  for (let round = -3; round < rounds; round += 1) {
    const ms = await ours.step();
    const theirMs = await yardstick?.step();
    const residualMs = await residual.step();
    if (round < 0) continue;
    times.push(ms);
    residualTimes.push(residualMs);
    if (theirMs !== undefined) yardstickTimes.push(theirMs);
  }
  await residual.end();
  const result = summarise({
    times,
    yardstickTimes,
    residualTimes,
    peakMib: await ours.end(),
    yardstickPeakMib: (await yardstick?.end()) ?? null,
  });
  print(`training step, ${batchSize} frames of 4x128x128, ${threads} threads:`);
  print(`  ours      ${result.stepMs.toFixed(0)} ms, peak memory ${result.peakMib.toFixed(0)} MiB`);
  if (yardstick && result.ratio !== null) {
    const peak = result.yardstickPeakMib!.toFixed(0);
    print(
      `  PyTorch   ${result.yardstickMs!.toFixed(0)} ms, peak memory ${peak} MiB (${yardstick.about})`,
    );
    print(`  ratio     ${result.ratio.toFixed(2)} (goal: at most ${goal.ratio})`);
  } else {
    print(`  NO YARDSTICK: ${python} with PyTorch is not here, so there is no ratio`);
  }
  if (result.peakMib > goal.peakMib) print(`  MEMORY above the goal of ${goal.peakMib} MiB`);
  return result;
}

function summarise({
  times,
  yardstickTimes,
  residualTimes,
  peakMib,
  yardstickPeakMib,
}: {
  readonly times: readonly number[];
  readonly yardstickTimes: readonly number[];
  readonly residualTimes: readonly number[];
  readonly peakMib: number;
  readonly yardstickPeakMib: number | null;
}): TrainingStepBench {
  const stepMs = median(times);
  const yardstickMs = yardstickTimes.length > 0 ? median(yardstickTimes) : null;
  const ratio = yardstickMs && stepMs / yardstickMs;
  const residualMs = median(residualTimes);
  return { stepMs, peakMib, yardstickMs, yardstickPeakMib, ratio, residualMs };
}
