import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { median, percentile } from '../median.js';
import { linesOf, scriptOf } from './lines-of.js';
import type { GpuBenchOptions, Parts, Row } from './row.js';

/** Training steps, with each number of them in a call, and a whole epoch with its validation. */
export async function measureTraining(
  options: GpuBenchOptions,
  { say, miss }: Parts,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const stepsPerCall of options.stepsPerCall) {
    const what = `training, ${stepsPerCall} steps a call`;
    say(what);
    try {
      rows.push(await measureSteps(options, stepsPerCall));
    } catch (thrown) {
      miss(what, thrown);
    }
  }
  const what = 'a whole epoch';
  say(what);
  try {
    rows.push(await measureEpoch(options));
  } catch (thrown) {
    miss(what, thrown);
  }
  return rows;
}

/** Frames that train, by the time of their steps and of the validation. */
async function measureEpoch({ device, trainingBatch, epochFrames }: GpuBenchOptions): Promise<Row> {
  const words = [device, String(trainingBatch), String(epochFrames)];
  const [told] = (await linesOf(process.execPath, [
    scriptOf('gpu/epoch-process.js'),
    ...words,
  ])) as {
    readonly device: string;
    readonly note: string;
    readonly stepsPerCall: number;
    readonly seconds: number;
  }[];
  if (!told) throw new Error('the epoch ended by itself');
  const { seconds, stepsPerCall, note } = told;
  const beside = note === '' ? '' : ` (${note})`;
  return {
    what: 'epoch',
    by: `${told.device}, full, ${stepsPerCall} steps a call, and validation${beside}`,
    isYardstick: false,
    batchSize: trainingBatch,
    framesPerSecond: epochFrames / seconds,
    p50Ms: seconds * 1000,
    p99Ms: seconds * 1000,
  };
}

async function measureSteps(
  { device, trainingBatch, forMs }: GpuBenchOptions,
  stepsPerCall: number,
): Promise<Row> {
  const words = ['0', String(trainingBatch), device, String(stepsPerCall)];
  const child = spawn(process.execPath, [scriptOf('training-step-process.js'), ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const exited = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const read = async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error('the training step ended by itself');
      return value;
    };
    const where = (await read()).replace('ready ', '');
    const times: number[] = [];
    const startedAtMs = performance.now();
    for (let call = -2; call < 3 || performance.now() - startedAtMs < forMs; call += 1) {
      child.stdin.write('\n');
      const ms = Number(await read());
      if (call >= 0) times.push(ms);
    }
    child.stdin.end();
    await exited;
    return {
      what: 'training',
      by: `${where}, full, ${stepsPerCall} steps a call`,
      isYardstick: false,
      batchSize: trainingBatch,
      framesPerSecond: (trainingBatch * 1000) / median(times),
      p50Ms: median(times),
      p99Ms: percentile(times, 0.99),
    };
  } finally {
    child.kill();
  }
}
