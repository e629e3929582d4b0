import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { Frame } from '../../src/frames/index.js';
import { packageRoot } from '../../src/package-root.js';
import { makeFolder } from '../make-folder.js';
import { findPython } from '../python/python.js';
import { openTestPort, predictionOf } from '../rpc/fakes.js';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls one of the programs of clients/ with these words. */
type Caller = (...words: readonly string[]) => Promise<Ended>;

const run = promisify(execFile);
const ended = (file: string, words: readonly string[], env = process.env): Promise<Ended> =>
  run(file, [...words], { env, timeout: 60_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ended) => ({ code, stdout, stderr }),
  );

const node: Caller = (...words) =>
  ended(process.execPath, [join(packageRoot, 'clients/node/classify.mjs'), ...words]);

/** The Python client with the code that clients/README.md tells to generate; null without Python. */
async function openPython(t: ExecutionContext): Promise<Caller | null> {
  const python = await findPython(t, ['grpc_tools']);
  if (python === null) return null;
  const generated = await makeFolder(t);
  const proto = join(packageRoot, 'proto');
  const files = (await readdir(join(proto, 'cytostream/v1'))).map((file) =>
    join(proto, 'cytostream/v1', file),
  );
  const outputs = [`--python_out=${generated}`, `--grpc_python_out=${generated}`];
  await run(python, ['-m', 'grpc_tools.protoc', '-I', proto, ...outputs, ...files]);
  const script = join(packageRoot, 'clients/python/classify.py');
  const env = { ...process.env, PYTHONPATH: generated, PYTHONDONTWRITEBYTECODE: '1' };
  return (...words) => ended(python, [script, ...words], env);
}

const callers: Readonly<Record<string, (t: ExecutionContext) => Promise<Caller | null>>> = {
  Node: async () => node,
  Python: openPython,
};

for (const [language, open] of Object.entries(callers)) {
  test(`the ${language} client of clients/ speaks to the server from the proto files alone`, async (t) => {
    const call = await open(t);
    if (call === null) return;
    const folder = await makeFolder(t);
    for (const channel of ['red', 'green', 'blue', 'yellow']) {
      await writeFile(join(folder, `cell_${channel}.png`), Buffer.alloc(100, 255));
    }
    const frames: Frame[] = [];
    const { address } = await openTestPort(t, {
      classifier: {
        classify: async (frame) => {
          frames.push(frame);
          return predictionOf(frame, 1);
        },
      },
    });
    const { code, stdout, stderr } = await call(address, 'cells', join(folder, 'cell'));
    t.is(code, 0, stderr);
    t.regex(stdout, /cell: label 0 1\.000, label 1 1\.000, .* \(\d+\.\d ms\)\n$/);
    const [frame] = frames;
    t.is(frame?.encoding, 'png');
    t.deepEqual(
      frame?.planes.map(({ channel, bytes }) => [channel, bytes.length]),
      [
        ['microtubules', 100],
        ['protein', 100],
        ['nucleus', 100],
        ['endoplasmic_reticulum', 100],
      ],
    );

    const unknown = await call(address, 'yeast', join(folder, 'cell'));
    t.is(unknown.code, 1);
    t.regex(unknown.stderr, /^[^\n]*"yeast"[^\n]* \(model_unknown\)\n$/);
    const empty = await call();
    t.not(empty.code, 0);
    t.regex(empty.stderr, /^usage: [^\n]* HOST:PORT MODEL FRAME\.\.\.\n$/);
  });
}

test('the ten lines of the README get an answer', async (t) => {
  const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
  const [, lines = ''] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const { address } = await openTestPort(t, {
    classifier: { classify: async (frame) => predictionOf(frame, 1) },
  });
  const code = lines.replace('localhost:50051', address);
  t.not(code, lines);
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', code], {
    cwd: packageRoot,
    timeout: 60_000,
  });
  t.regex(stdout, /label 0/, stderr);
  t.regex(stdout, /frame_id: 'a1',\n {2}outcome: 'OUTCOME_OK'/);
});
