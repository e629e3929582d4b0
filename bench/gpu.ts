// `bench/gpu.sh`: what a GPU does, beside PyTorch on the same GPU.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { checkDevice, createMachine, type DeviceName, deviceNames } from '../src/engines/index.js';
import { packageRoot } from '../src/package-root.js';
import { measureEngine } from './gpu/measure-engine.js';
import { measureResize } from './gpu/measure-resize.js';
import { measureServer } from './gpu/measure-server.js';
import { measureTorch } from './gpu/measure-torch.js';
import { measureTraining } from './gpu/measure-training.js';
import type { GpuBenchOptions, Parts, Row } from './gpu/row.js';

const { values: words } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    seconds: { type: 'string', default: '2' },
    batches: { type: 'string', default: '1,8,32,64,128,256' },
    precisions: { type: 'string', default: 'full,half' },
    workers: { type: 'string', default: '1,2,4' },
    'training-batch': { type: 'string', default: '128' },
    'epoch-frames': { type: 'string', default: '4096' },
    steps: { type: 'string', default: '1,4,8,16' },
    python: { type: 'string', default: 'python3' },
    parts: { type: 'string', default: 'engine,resize,server,training,torch' },
  },
});
const device = deviceNames.find((name) => name === words.device);
if (device === undefined) throw new Error(`expected a device of ${deviceNames.join(', ')}`);
const numbers = (list: string) => list.split(',').map(Number);
const options: GpuBenchOptions = {
  device,
  forMs: Number(words.seconds) * 1000,
  batchSizes: numbers(words.batches),
  precisions: (['full', 'half'] as const).filter((each) =>
    words.precisions.split(',').includes(each),
  ),
  workers: numbers(words.workers),
  trainingBatch: Number(words['training-batch']),
  epochFrames: Number(words['epoch-frames']),
  stepsPerCall: numbers(words.steps),
  python: words.python,
};
const say = (line: string) => console.error(line);

/** Frames a second that an H200 is to reach at least, in half precision. */
const goals = { engine: 100_000, server: 5000, training: 10_000 };

/** What is printed as JSON; `gpu` is null where there is none. */
interface Result {
  readonly at: string;
  readonly device: DeviceName;
  readonly gpu: string | null;
  readonly reason?: string;
  /** How far answers lie from the CPU's in full precision at most, by who gave them. */
  readonly distances?: Readonly<Record<string, number>>;
  readonly rows: readonly Row[];
  /** What could not be measured, and why. */
  readonly missing: readonly string[];
}

async function main(): Promise<Result> {
  const at = new Date().toISOString();
  const machine = createMachine();
  const { obstacle, found } = await checkDevice(device!, machine, { isNamed: true });
  if (obstacle !== null) {
    say(`NO GPU: nothing was measured. ${device}: ${obstacle}`);
    return { at, device: device!, gpu: null, reason: obstacle, rows: [], missing: [] };
  }
  const missing: string[] = [];
  const parts: Parts = {
    say,
    miss(what, thrown) {
      const line = `${what}: ${thrown instanceof Error ? thrown.message : thrown}`;
      missing.push(line);
      say(`NOT MEASURED: ${line}`);
    },
  };
  const asked = new Set(words.parts.split(','));
  const nothing = { rows: [], distances: {} };
  const engine = asked.has('engine') ? await measureEngine(device!, options, parts) : nothing;
  // The same graph, compiled for this GPU, where its libraries are installed too.
  const hasTensorrt =
    device === 'cuda' &&
    asked.has('engine') &&
    (await checkDevice('tensorrt', machine, { isNamed: true })).obstacle === null;
  const compiled = hasTensorrt ? await measureEngine('tensorrt', options, parts) : nothing;
  const best = engine.rows.reduce<Row | null>(
    (one, other) => (one !== null && one.framesPerSecond >= other.framesPerSecond ? one : other),
    null,
  );
  const workers = Number(/(\d+) workers$/.exec(best?.by ?? '')?.[1] ?? options.workers[0]);
  const rows = [
    ...engine.rows,
    ...compiled.rows,
    ...(asked.has('resize') ? await measureResize(options, workers, parts) : []),
    ...(asked.has('server') ? await measureServer(options, workers, parts) : []),
    ...(asked.has('training') ? await measureTraining(options, parts) : []),
    ...(asked.has('torch') ? await measureTorch(options, parts) : []),
  ];
  const distances = { ...engine.distances, ...compiled.distances };
  return { at, device: device!, gpu: found || device!, distances, rows, missing };
}

function print({ gpu, rows, distances = {} }: Result): void {
  const table = new Table({
    style: { head: [], border: [] },
    head: ['what', 'by', 'batch', 'frames/s', 'p50 ms', 'p99 ms'],
  });
  for (const { what, by, batchSize, framesPerSecond, p50Ms, p99Ms } of rows) {
    const times = [framesPerSecond.toFixed(1), p50Ms.toFixed(2), p99Ms.toFixed(2)];
    table.push([what, by, batchSize, ...times]);
  }
  console.log(table.toString());
  console.log(gpu ?? '');
  for (const [by, distance] of Object.entries(distances)) {
    console.log(
      `${by}: probabilities differ from the CPU's by at most ${distance.toExponential(1)}`,
    );
  }
  for (const what of ['engine', 'server', 'training'] as const) {
    const most = (isYardstick: boolean) =>
      Math.max(
        0,
        ...rows
          .filter((row) => row.what === what && row.isYardstick === isYardstick)
          .map((row) => row.framesPerSecond),
      );
    const beside =
      most(true) > 0 ? `, ${(most(false) / most(true)).toFixed(2)} of PyTorch's best` : '';
    const goal = `goal on an H200: ${goals[what]}`;
    console.log(`${what}: ${most(false).toFixed(0)} frames/s (${goal})${beside}`);
  }
}

const result = await main();
if (result.gpu !== null) print(result);
// What was measured before, on a machine with a GPU, stays.
if (result.gpu !== null && device !== 'cpu') {
  await mkdir(join(packageRoot, 'bench/results'), { recursive: true });
  const text = `${JSON.stringify(result, null, 2)}\n`;
  await writeFile(join(packageRoot, 'bench/results/gpu.json'), text);
}
console.log(JSON.stringify(result));
