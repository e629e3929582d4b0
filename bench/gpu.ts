// `bench/gpu.sh`: what a GPU does, beside PyTorch on the same GPU.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, promisify } from 'node:util';
import Table from 'cli-table3';
import { checkDevice, createMachine, type DeviceName, deviceNames } from '../src/engines/index.js';
import { packageRoot } from '../src/package-root.js';
import { median, percentile } from './median.js';
import { publishSeed, startServer } from './served-seed.js';

/** One measurement. */
interface Row {
  readonly what: 'engine' | 'server' | 'training';
  readonly by: string;
  readonly batchSize: number;
  readonly framesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const { values: words } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    seconds: { type: 'string', default: '2' },
    batches: { type: 'string', default: '1,8,32,64,128,256' },
    python: { type: 'string', default: 'python3' },
  },
});
const device = deviceNames.find((name) => name === words.device);
if (device === undefined) throw new Error(`expected a device of ${deviceNames.join(', ')}`);
const forMs = Number(words.seconds) * 1000;
const batchSizes = words.batches.split(',').map(Number);
const trainingBatch = Math.min(128, Math.max(...batchSizes));
const script = (name: string) => join(packageRoot, 'dist/bench', name);
const say = (line: string) => console.error(line);

/** Frames a second that an H200 is to reach at least, in half precision. */
const goals = { engine: 100_000, server: 5000, training: 10_000 };

/** Every line of JSON that a process prints. Throws when it fails. */
async function linesOf(program: string, args: readonly string[]): Promise<readonly unknown[]> {
  const { stdout } = await promisify(execFile)(program, [...args], { maxBuffer: 2 ** 28 });
  return stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
}

/** The engine alone with one, two and four workers. */
async function measureEngine(on: DeviceName) {
  const rows: Row[] = [];
  let distance = 0;
  for (const workers of ['1', '2', '4']) {
    say(`engine alone, ${workers} workers`);
    const args = [script('gpu-engine-process.js'), on, workers, String(forMs), words.batches];
    const [about, ...sizes] = (await linesOf(process.execPath, args)) as [
      { readonly device: string; readonly distance: number },
      ...Omit<Row, 'what' | 'by'>[],
    ];
    distance = Math.max(distance, about.distance);
    rows.push(
      ...sizes.map((row) => ({
        ...row,
        what: 'engine' as const,
        by: `${about.device}, ${workers} workers`,
      })),
    );
  }
  return { rows, distance };
}

const clients = 4;
const streamsOfClient = 4;

/** The whole server with batches of up to each size, and clients that keep it busy. */
async function measureServer(on: DeviceName, workers: string): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-gpu-'));
  try {
    await publishSeed(folder);
    const rows: Row[] = [];
    for (const batchSize of batchSizes) {
      say(`through the server, batches of up to ${batchSize}`);
      const sizes = [...new Set([1, Math.ceil(batchSize / 4), batchSize])];
      const server = await startServer(folder, [
        ...['--device', on, '--engine-workers', workers, '--batch-sizes', sizes.join(',')],
      ]);
      try {
        // Enough for two batches a worker, and no more, or the queue is what is measured.
        const wanted = batchSize * Number(workers) * 2;
        const inFlight = Math.max(1, Math.ceil(wanted / (clients * streamsOfClient)));
        const args = [String(server.port), String(streamsOfClient), String(inFlight)];
        const runAll = (ms: number) =>
          Promise.all(
            Array.from({ length: clients }, () =>
              linesOf(process.execPath, [script('gpu-client-process.js'), ...args, String(ms)]),
            ),
          );
        await runAll(forMs / 4);
        const told = (await runAll(forMs)).flat() as {
          readonly answered: number;
          readonly ok: number;
          readonly seconds: number;
          readonly times: number[];
        }[];
        const lost = told.reduce((sum, { answered, ok }) => sum + answered - ok, 0);
        if (lost > 0) throw new Error(`${lost} frames were not answered with ok`);
        const times = told.flatMap((client) => client.times);
        rows.push({
          what: 'server',
          by: `${clients * streamsOfClient} streams of 64 KiB frames`,
          batchSize,
          framesPerSecond: told.reduce((sum, { ok, seconds }) => sum + ok / seconds, 0),
          p50Ms: percentile(times, 0.5),
          p99Ms: percentile(times, 0.99),
        });
      } finally {
        await server.stop();
      }
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureTraining(on: DeviceName): Promise<Row> {
  say('training');
  const args = [script('training-step-process.js'), '0', String(trainingBatch), on];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the training step ended by itself');
    return value;
  };
  await read();
  const times: number[] = [];
  const startedAtMs = performance.now();
  for (let step = -3; step < 3 || performance.now() - startedAtMs < forMs; step += 1) {
    child.stdin.write('\n');
    const ms = Number(await read());
    if (step >= 0) times.push(ms);
  }
  child.stdin.end();
  await exited;
  return {
    what: 'training',
    by: `onnxruntime/${on}, float32`,
    batchSize: trainingBatch,
    framesPerSecond: (trainingBatch * 1000) / median(times),
    p50Ms: median(times),
    p99Ms: percentile(times, 0.99),
  };
}

/** The same in PyTorch; without one a line says so. */
async function measureTorch(on: DeviceName): Promise<readonly Row[]> {
  say('PyTorch');
  const args = [join(packageRoot, 'bench/gpu_torch.py'), on, words.seconds, words.batches];
  const told = await linesOf(words.python, [...args, String(trainingBatch)]).catch(
    (error: Error) => {
      say(
        `NO YARDSTICK: ${words.python} has no PyTorch that runs on ${on} (${error.message.split('\n').at(-2)})`,
      );
      return [];
    },
  );
  const [about, ...rows] = told as { [field: string]: string | number }[];
  return rows.map((row) => ({
    what: row['kind'] === 'training' ? 'training' : 'engine',
    by: `PyTorch ${about?.['torch']}, ${row['way']}`,
    batchSize: Number(row['batchSize']),
    framesPerSecond: Number(row['runsPerSecond']) * Number(row['batchSize']),
    p50Ms: Number(row['p50Ms']),
    p99Ms: Number(row['p99Ms']),
  }));
}

/** What is printed as JSON; `gpu` is null where there is none. */
interface Result {
  readonly at: string;
  readonly device: DeviceName;
  readonly gpu: string | null;
  readonly reason?: string;
  /** How far answers lie from the CPU's at most. */
  readonly distance?: number;
  readonly rows: readonly Row[];
}

async function main(on: DeviceName): Promise<Result> {
  const { obstacle, found } = await checkDevice(on, createMachine(), { isNamed: true });
  if (obstacle !== null) {
    say(`NO GPU: nothing was measured. ${on}: ${obstacle}`);
    return { at: new Date().toISOString(), device: on, gpu: null, reason: obstacle, rows: [] };
  }
  const engine = await measureEngine(on);
  const best = engine.rows.reduce((one, other) =>
    other.framesPerSecond > one.framesPerSecond ? other : one,
  );
  const workers = /(\d+) workers$/.exec(best.by)?.[1] ?? '1';
  const rows = [
    ...engine.rows,
    ...(await measureServer(on, workers)),
    await measureTraining(on),
    ...(await measureTorch(on)),
  ];
  const table = new Table({
    style: { head: [], border: [] },
    head: ['what', 'by', 'batch', 'frames/s', 'p50 ms', 'p99 ms'],
  });
  for (const row of rows) {
    const { what, by, batchSize, framesPerSecond, p50Ms, p99Ms } = row;
    table.push([
      what,
      by,
      batchSize,
      framesPerSecond.toFixed(1),
      p50Ms.toFixed(2),
      p99Ms.toFixed(2),
    ]);
  }
  console.log(table.toString());
  console.log(`${found || on}; answers differ from the CPU's by at most ${engine.distance}`);
  for (const what of ['engine', 'server', 'training'] as const) {
    const all = rows.filter((row) => row.what === what);
    const most = (isTorch: boolean) =>
      Math.max(
        0,
        ...all
          .filter(({ by }) => by.startsWith('PyTorch') === isTorch)
          .map((row) => row.framesPerSecond),
      );
    const beside =
      most(true) > 0 ? `, ${(most(false) / most(true)).toFixed(2)} of PyTorch's best` : '';
    console.log(
      `${what}: ${most(false).toFixed(0)} frames/s (goal on an H200: ${goals[what]})${beside}`,
    );
  }
  return { at: new Date().toISOString(), device: on, gpu: found, distance: engine.distance, rows };
}

const result = await main(device);
// What was measured before, on a machine with a GPU, stays.
if (result.gpu !== null) {
  await mkdir(join(packageRoot, 'bench/results'), { recursive: true });
  const text = `${JSON.stringify(result, null, 2)}\n`;
  await writeFile(join(packageRoot, 'bench/results/gpu.json'), text);
}
console.log(JSON.stringify(result));
