import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { packageRoot } from '../../src/package-root.js';

const script = join(packageRoot, 'dist/bench/gpu.js');

/** What the benchmark of a GPU prints, on any device. */
async function benchmark(...words: readonly string[]) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, ...words]);
  const json = stdout.trim().split('\n').at(-1) ?? '';
  return { stdout, stderr, result: JSON.parse(json) as Readonly<Record<string, unknown>> };
}

/** On the CPU, as short as can be: it only shows that the scripts work. */
const shortest = ['--device', 'cpu', '--seconds', '0.01', '--batches', '1', '--workers', '1'];

test.serial(
  'the benchmark of a GPU goes through on the CPU, and tells what it could not measure',
  async (t) => {
    t.timeout(300_000);
    const sizes = [...shortest, '--training-batch', '1', '--epoch-frames', '4', '--steps', '2'];
    const { stdout, stderr, result } = await benchmark(
      ...sizes,
      ...['--parts', 'engine,resize,training,torch', '--python', '/nowhere/python3'],
    );
    const rows = result['rows'] as readonly {
      readonly what: string;
      readonly by: string;
      readonly framesPerSecond: number;
    }[];
    t.deepEqual(
      rows.map(({ what, by }) => [what, by]),
      [
        ['engine', 'onnxruntime/cpu, full, 1 workers'],
        ['engine', 'onnxruntime/cpu, half, 1 workers'],
        ...['full', 'half'].flatMap((precision) =>
          ['uint8', 'uint16'].flatMap((type) =>
            ['on the CPU', 'in the graph'].map((where) => [
              'raw planes',
              `4 x 1024² ${type}, resized ${where}, ${precision}, 1 workers`,
            ]),
          ),
        ),
        ['training', 'onnxruntime/cpu, full, 2 steps a call'],
        ['epoch', 'onnxruntime/cpu, full, 1 steps a call, and validation'],
      ],
    );
    for (const { by, framesPerSecond } of rows) t.true(framesPerSecond > 0, by);
    const distances = result['distances'] as Readonly<Record<string, number>>;
    t.is(distances['onnxruntime/cpu, full, 1 workers'], 0);
    const half = distances['onnxruntime/cpu, half, 1 workers'] ?? 1;
    t.true(half > 0 && half < 1e-3, `${half}`);
    t.regex(String(result['missing']), /^PyTorch by .nowhere.python3: /);
    t.regex(stderr, /^NOT MEASURED: PyTorch by /m);
    t.regex(stdout, /engine.*onnxruntime\/cpu, half, 1 workers/);
  },
);

test.serial('the benchmark of a GPU measures the whole server', async (t) => {
  t.timeout(300_000);
  const { result } = await benchmark(...shortest, '--precisions', 'full', '--parts', 'server');
  t.deepEqual(result['missing'], []);
  const rows = result['rows'] as readonly { readonly framesPerSecond: number }[];
  t.like(rows, [{ what: 'server', by: '16 streams, full, 1 workers', batchSize: 1 }]);
  t.true((rows[0]?.framesPerSecond ?? 0) > 0);
});

/** A python with PyTorch, whichever version: that of the yardsticks, or the system's. */
async function findTorch(): Promise<string | null> {
  for (const python of [process.env['CYTOSTREAM_BENCH_PYTHON'], 'python3', '/usr/bin/python3']) {
    if (!python) continue;
    const found = await promisify(execFile)(python, ['-c', 'import torch']).catch(() => null);
    if (found) return python;
  }
  return null;
}

test.serial('the yardstick of the benchmark of a GPU goes through on the CPU', async (t) => {
  t.timeout(300_000);
  const python = await findTorch();
  if (python === null) {
    const line = `SKIPPED "${t.title}": no python3 here has torch`;
    console.warn(line);
    t.log(line);
    t.pass();
    return;
  }
  const words = ['--training-batch', '2', '--parts', 'torch', '--python', python];
  const { result } = await benchmark(...shortest, ...words);
  const rows = result['rows'] as readonly {
    readonly what: string;
    readonly by: string;
    readonly framesPerSecond: number;
    readonly p99Ms: number;
  }[];
  const plain = rows.filter(({ by }) => /^PyTorch [\d.]+\S*, float32$/.test(by));
  t.deepEqual(
    plain.map(({ what }) => what),
    ['engine', 'training'],
  );
  for (const { by, framesPerSecond, p99Ms } of rows) t.true(framesPerSecond > 0 && p99Ms > 0, by);
  // What a version cannot do is told, not taken for a failure of the script.
  for (const line of result['missing'] as readonly string[]) t.regex(line, /compile/);
});

test.serial('without the device nothing is measured, and the reason is told', async (t) => {
  // A device of another system is nowhere to be found on this one.
  const elsewhere = process.platform === 'win32' ? 'coreml' : 'directml';
  const { stderr, result } = await benchmark('--device', elsewhere);
  t.is(result['gpu'], null);
  t.deepEqual(result['rows'], []);
  t.regex(stderr, new RegExp(`^NO GPU: nothing was measured. ${elsewhere}: it runs on `));
});
