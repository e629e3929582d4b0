// The bare engine loop, the yardstick of serving: batches of the frame that the server gets
// through one Session with nothing around it. (Not of random pixels: what a run takes depends
// on them.) Arguments: path of model.onnx, milliseconds; or also "clocked" or "random" and
// frames a second, for frames that come by the clock. Prints one line of JSON.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { openOnnxRuntime } from '../src/server/open-engine.js';
import { createRandom, simulateCells } from '../src/simulator/index.js';
import { createLog } from '../src/telemetry/index.js';
import { type Arrivals, framesDue } from './open-loop.js';

const [path, forMs, arrivals, framesPerSecond] = process.argv.slice(2) as [
  string,
  string,
  Arrivals | undefined,
  string | undefined,
];
const frame = Buffer.concat(
  simulateCells({ seed: 1, labels: [23], sizePx: 128 }).planes.map(({ bytes }) => bytes),
);
const log = createLog({ level: 'warn' });
const spec = { model: readFileSync(path), inputShape: [4, 128, 128], labelCount: 28 } as const;

/** Frames a second of an engine whose lanes are always busy, and the median time of a run. */
async function loop(
  settings: {
    readonly device: 'auto';
    readonly precision: 'auto';
    readonly engineWorkers: number;
    readonly engineThreads: number;
  },
  batchSize: number,
  lanes?: number,
): Promise<{ framesPerSecond: number; runMs: number }> {
  const engine = await openOnnxRuntime(settings, log);
  const session = await engine.load(spec);
  const runs: number[] = [];
  const runLane = async (runMs: number) => {
    // A buffer of its own: it is transferred.
    let input: Uint8Array = new Uint8Array(Buffer.concat(Array<Buffer>(batchSize).fill(frame)));
    const endMs = performance.now() + runMs;
    while (performance.now() < endMs) {
      const at = performance.now();
      ({ input } = await session.run(input, batchSize));
      runs.push(performance.now() - at);
    }
  };
  const runLanes = (runMs: number) =>
    Promise.all(Array.from({ length: lanes ?? session.lanes }, () => runLane(runMs)));
  await runLanes(200);
  runs.length = 0;
  const startedAt = performance.now();
  await runLanes(Number(forMs));
  const seconds = (performance.now() - startedAt) / 1000;
  await session.close();
  await engine.close();
  runs.sort((left, right) => left - right);
  return {
    framesPerSecond: (runs.length * batchSize) / seconds,
    runMs: runs[Math.floor(runs.length / 2)] ?? 0,
  };
}

/** The 99th percentile of the total time of frames that eight streams send, in milliseconds. */
async function waitingTime(): Promise<number> {
  const engine = await openOnnxRuntime(shared, log);
  const session = await engine.load(spec);
  const random = createRandom(1);
  const streams = 8;
  const intervalMs = (streams * 1000) / Number(framesPerSecond);
  const times: number[] = [];
  const runStream = async (seconds: number) => {
    const runs: Promise<void>[] = [];
    const plan = { intervalMs, seconds, arrivals: arrivals ?? 'clocked' };
    for await (const dueMs of framesDue({ ...plan, random: () => random.unit() })) {
      const run = session.run(new Uint8Array(frame), 1);
      runs.push(run.then(() => void times.push(performance.now() - dueMs)));
    }
    await Promise.all(runs);
  };
  const runStreams = (seconds: number) =>
    Promise.all(Array.from({ length: streams }, () => runStream(seconds)));
  await runStreams(0.3);
  times.length = 0;
  await runStreams(Number(forMs) / 1000);
  await session.close();
  await engine.close();
  times.sort((left, right) => left - right);
  return times[Math.floor(times.length * 0.99)] ?? Number.NaN;
}

const settings = { device: 'auto', precision: 'auto' } as const;
const shared = { ...settings, engineWorkers: 0, engineThreads: 0 };
if (arrivals !== undefined) console.log(JSON.stringify({ p99Ms: await waitingTime() }));
else {
  // The best of what the cores can do: as the server shares them, and all of them on one run.
  const together = {
    ...settings,
    engineWorkers: 1,
    engineThreads: availableParallelism(),
  };
  const loops = [await loop(shared, 1), await loop(shared, 8), await loop(together, 8)];
  const fastest = Math.max(...loops.map((each) => each.framesPerSecond));
  const one = await loop(shared, 1, 1);
  console.log(JSON.stringify({ framesPerSecond: fastest, runOfOneMs: one.runMs }));
}
