// A thread that opens streams on some connections, and cancels all of them when it is told to:
// what it sends then has all come before the thread that reads it looks.
import { once } from 'node:events';
import http2 from 'node:http2';
import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

/** What the thread is started with. */
export interface CancellingOptions {
  /** "https://localhost:1234". */
  readonly url: string;
  /** PEM of who signed the server's certificate; null: any. */
  readonly ca: Buffer | null;
  readonly connections: number;
  readonly streamsEach: number;
  /** Becomes 1, and is notified of, when all are cancelled. */
  readonly isDone: Int32Array<SharedArrayBuffer>;
}

const { url, ca, connections, streamsEach, isDone } = workerData as CancellingOptions;
const sessions = Array.from({ length: connections }, () =>
  http2.connect(url, ca === null ? {} : { ca }),
);
const open = async (session: http2.ClientHttp2Session) => {
  const stream = session.request({ ':path': '/somewhere', ':method': 'POST' });
  stream.on('error', () => {});
  await once(stream, 'response');
  return stream;
};
const streams = await Promise.all(
  sessions.flatMap((session) => Array.from({ length: streamsEach }, () => open(session))),
);
parentPort?.once('message', async () => {
  const closed = streams.map((stream) => once(stream, 'close'));
  for (const stream of streams) stream.close(http2.constants.NGHTTP2_CANCEL);
  await Promise.all(closed);
  await setTimeout(100); // and the last of it is sent
  Atomics.store(isDone, 0, 1);
  Atomics.notify(isDone, 0);
});
parentPort?.postMessage('open');
