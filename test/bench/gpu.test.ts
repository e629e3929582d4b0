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

test('the benchmark of a GPU goes through on the CPU, and tells what it could not measure', async (t) => {
  t.timeout(300_000);
  const sizes = ['--batches', '1', '--workers', '1', '--training-batch', '1', '--steps', '2'];
  const { stdout, stderr, result } = await benchmark(
    ...['--device', 'cpu', '--seconds', '0.01', ...sizes],
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
});

test('without the device nothing is measured, and the reason is told', async (t) => {
  // A device of another system is nowhere to be found on this one.
  const elsewhere = process.platform === 'win32' ? 'coreml' : 'directml';
  const { stderr, result } = await benchmark('--device', elsewhere);
  t.is(result['gpu'], null);
  t.deepEqual(result['rows'], []);
  t.regex(stderr, new RegExp(`^NO GPU: nothing was measured. ${elsewhere}: it runs on `));
});
