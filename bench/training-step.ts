import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../src/package-root.js';

/** How the training step is measured. */
export interface TrainingStepBenchOptions {
  /** Threads of either side. @default 2 */
  readonly threads?: number;
  /** Frames a step, 4 by 128 by 128. @default 32 */
  readonly batchSize?: number;
  /** Rounds of one step of ours and one of PyTorch's, after three to warm up. @default 7 */
  readonly rounds?: number;
  /** A Python that has PyTorch. @default '/usr/bin/python3' */
  readonly python?: string;
}

/** Medians of the rounds; nulls where the yardstick is missing. */
export interface TrainingStepBench {
  readonly stepMs: number;
  readonly peakMib: number;
  readonly yardstickMs: number | null;
  readonly yardstickPeakMib: number | null;
  /** Ours over PyTorch's. At most 0.7 is the goal. */
  readonly ratio: number | null;
}

/** The goals of the README's table. */
const goal = { ratio: 0.7, peakMib: 1536 };

/**
 * Measures a training step of `seed-cnn` against PyTorch's on the same cores,
 * step by step in turn, so that both meet the same weather. Prints what it finds.
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
  const ours = await startStepper(process.execPath, [
    fileURLToPath(new URL('./training-step-process.js', import.meta.url)),
    ...args,
  ]);
  const yardstick = existsSync(python)
    ? await startStepper(python, [join(packageRoot, 'bench/training_step_torch.py'), ...args])
    : null;
  if (!ours) throw new Error('the training step did not start');
  const [times, yardstickTimes]: [number[], number[]] = [[], []];
  for (let round = -3; round < rounds; round += 1) {
    const ms = await ours.step();
    const theirMs = await yardstick?.step();
    if (round < 0) continue;
    times.push(ms);
    if (theirMs !== undefined) yardstickTimes.push(theirMs);
  }
  const result = summarise({
    times,
    yardstickTimes,
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
  peakMib,
  yardstickPeakMib,
}: {
  readonly times: readonly number[];
  readonly yardstickTimes: readonly number[];
  readonly peakMib: number;
  readonly yardstickPeakMib: number | null;
}): TrainingStepBench {
  const stepMs = median(times);
  const yardstickMs = yardstickTimes.length > 0 ? median(yardstickTimes) : null;
  const ratio = yardstickMs && stepMs / yardstickMs;
  return { stepMs, peakMib, yardstickMs, yardstickPeakMib, ratio };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

interface Stepper {
  /** What it says about itself. */
  readonly about: string;
  /** Milliseconds of one more step. */
  step(): Promise<number>;
  /** Ends it; its peak memory in MiB. */
  end(): Promise<number>;
}

/** Null when the process ends before it is ready, as Python does without PyTorch. */
async function startStepper(command: string, args: readonly string[]): Promise<Stepper | null> {
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const read = async (): Promise<string | null> => (await lines.next()).value ?? null;
  const first = await read();
  if (!first?.startsWith('ready')) {
    await ended;
    return null;
  }
  const readNumber = async (): Promise<number> => {
    const line = await read();
    if (line === null) throw new Error(`${command} ended in the middle of the benchmark`);
    return Number(line);
  };
  return {
    about: first.slice('ready'.length).trim(),
    step() {
      child.stdin!.write('\n');
      return readNumber();
    },
    async end() {
      child.stdin!.end();
      const peakMib = await readNumber();
      await ended;
      return peakMib;
    },
  };
}
