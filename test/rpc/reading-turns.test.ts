import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { holdStreams } from '../../src/rpc/hold-streams.js';
import { createReadingTurns } from '../../src/rpc/reading-turns.js';
import { certificateOrSkip } from '../certificate.js';
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

test('who overran a turn is read again although connections of few streams overrun all others', async (t) => {
  const open = (size: number) => {
    const reads: ('stop' | 'start')[] = [];
    const handle = { readStop: () => reads.push('stop'), readStart: () => reads.push('start') };
    // All that is asked of a session.
    const session = { destroyed: false, socket: { _handle: handle } } as unknown;
    return { session: session as http2.Http2Session, size, reads };
  };
  const crowded = [open(100), open(100)];
  const small = open(1);
  const turns = createReadingTurns(
    new Map([...crowded, small].map(({ session, size }) => [session, { size }])),
  );
  const [first, second] = crowded;
  turns.overran(first?.session as http2.Http2Session);
  for (let turn = 0; turn < 10; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    turns.overran(small.session);
  }
  t.true(second?.reads.includes('start'));
  t.true(first?.reads.includes('start'));
  t.deepEqual(small.reads, []);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(
    crowded.map(({ reads }) => reads.at(-1)),
    ['start', 'start'],
    'nobody is left stopped',
  );
});

test('streams that end all at once are taken one connection after the other', async (t) => {
  areSpread(t, await endsPerTurn(t, null));
});

test('the same over TLS', async (t) => {
  const tls = await certificateOrSkip(t);
  if (tls === null) return;
  areSpread(t, await endsPerTurn(t, tls));
});
