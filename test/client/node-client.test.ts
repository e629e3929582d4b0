import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Frame } from '../../src/frames/index.js';
import { packageRoot } from '../../src/package-root.js';
import { openTestPort, predictionOf } from '../rpc/fakes.js';

test('the Node client of clients/ speaks to the server from the proto files alone', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-client-'));
  t.teardown(() => rm(folder, { recursive: true }));
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
  const script = join(packageRoot, 'clients/node/classify.mjs');
  const child = spawn(process.execPath, [script, address, 'cells', join(folder, 'cell')]);
  t.teardown(() => child.kill());
  let out = '';
  let complaints = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  const [code] = await once(child, 'close');
  t.is(code, 0, complaints);
  t.regex(out, /cell: label 0 1\.000, label 1 1\.000, .* ms\)/);
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
});
