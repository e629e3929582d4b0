import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { holdStreams } from '../../src/rpc/hold-streams.js';
import { makeCertificate } from '../certificate.js';
import type { CancellingOptions } from './cancelling-client.js';

const connections = 4;
const streamsEach = 300;

type Tls = { readonly cert: Buffer; readonly key: Buffer } | null;

/**
 * Opens many streams on each of some connections, and cancels all before the server reads
 * again: how many of them ended in each turn of its event loop in which some did.
 */
async function endsPerTurn(t: ExecutionContext, tls: Tls): Promise<readonly number[]> {
  let ended = 0;
  let inTurn = 0;
  const perTurn: number[] = [];
  const server = tls === null ? http2.createServer({}) : http2.createSecureServer({ ...tls });
  // Each is more than its turn has time for.
  holdStreams(server, (_path, work) => {
    work();
    return false;
  });
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    stream.on('error', () => {});
    stream.on('close', () => {
      ended += 1;
      inTurn += 1;
      if (inTurn > 1) return;
      setImmediate(() => {
        perTurn.push(inTurn);
        inTurn = 0;
      });
    });
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of TCP it is never a string
  const url = `${tls === null ? 'http' : 'https'}://localhost:${port}`;
  const isDone = new Int32Array(new SharedArrayBuffer(4));
  const workerData: CancellingOptions = {
    ...{ url, ca: tls?.cert ?? null, connections, streamsEach, isDone },
  };
  const client = new Worker(new URL('./cancelling-client.js', import.meta.url), { workerData });
  t.teardown(async () => {
    await client.terminate();
    server.close();
  });
  await once(client, 'message');
  client.postMessage('cancel');
  Atomics.wait(isDone, 0, 0, 10_000);
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  while (ended < connections * streamsEach) await turn();
  // The count of the last turn is made in its immediates.
  await turn();
  return perTurn;
}

function areSpread(t: ExecutionContext, perTurn: readonly number[]): void {
  const most = Math.max(...perTurn);
  t.true(most <= streamsEach, `expected a connection a turn, got ${perTurn.join(', ')}`);
}

test('streams that end all at once are taken one connection after the other', async (t) => {
  areSpread(t, await endsPerTurn(t, null));
});

test('the same over TLS', async (t) => {
  const tls = await makeCertificate(t);
  if (tls === null) {
    const line = `SKIPPED "${t.title}": openssl is needed to make a certificate`;
    console.warn(line);
    t.log(line);
    t.pass();
    return;
  }
  areSpread(t, await endsPerTurn(t, tls));
});
