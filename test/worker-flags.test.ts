import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { workerFlags } from '../src/worker-flags.js';

test('a thread with these flags requires no module of ours, and imports it', async (t) => {
  const path = fileURLToPath(new URL('../src/errors.js', import.meta.url));
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    let required = 'required';
    try { require(workerData); } catch (error) { required = error.code; }
    import(workerData).then(({ DomainError }) => parentPort.postMessage([required, typeof DomainError]));
  `;
  const worker = new Worker(code, { eval: true, workerData: path, execArgv: [...workerFlags] });
  t.deepEqual((await once(worker, 'message'))[0], ['ERR_REQUIRE_ESM', 'function']);
});
