// Asks a server for its health every 100 ms, in a process of its own: the one that makes
// the load is too busy to tell when an answer came. Arguments: the port, and the server's pid.
import { setPriority } from 'node:os';
import { credentials, Client as GrpcClient, Metadata } from '@grpc/grpc-js';
import type { HealthReport } from './ask-health.js';
import { openRunQueue } from './run-queue.js';

const everyMs = 100;
const patienceMs = 30_000;
const path = '/grpc.health.v1.Health/Check';
/** HealthCheckResponse {status: SERVING}. */
const serving = Buffer.from([0x08, 0x01]);

const client = new GrpcClient(`127.0.0.1:${process.argv[2]}`, credentials.createInsecure());
const asIs = (bytes: Buffer) => bytes;
const queues = [openRunQueue(Number(process.argv[3])), openRunQueue(process.pid)];
const waitedMs = () => queues.reduce((sum, queue) => sum + queue.waitedMs(), 0);
const answers: { readonly ms: number; readonly withoutCoreMs: number }[] = [];
let failed = 0;
let isOver = false;
// It hardly runs, and is not what is measured. Only a privileged user may do so.
try {
  setPriority(-10);
} catch {}

async function ask(): Promise<void> {
  const before = waitedMs();
  const askedAtMs = performance.now();
  const answer = await new Promise<Buffer | undefined>((resolve) => {
    const deadline = Date.now() + patienceMs;
    client.makeUnaryRequest(
      path,
      asIs,
      asIs,
      Buffer.alloc(0),
      new Metadata(),
      { deadline },
      (_error, bytes) => resolve(bytes),
    );
  });
  const ms = performance.now() - askedAtMs;
  answers.push({ ms, withoutCoreMs: Math.min(ms, waitedMs() - before) });
  if (answer === undefined || !serving.equals(answer)) failed += 1;
}

// The first opens the connection; it is not counted.
await ask();
answers.length = 0;
failed = 0;
// Whoever asked for it is gone.
process.once('disconnect', () => process.exit());
process.send?.('asking');
process.once('message', () => {
  isOver = true;
});
while (!isOver) {
  const nextAtMs = performance.now() + everyMs;
  await ask();
  const restMs = nextAtMs - performance.now();
  if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
}
answers.sort((left, right) => left.ms - right.ms);
const longest = answers.at(-1);
const report: HealthReport = {
  asked: answers.length,
  failed,
  medianMs: answers[Math.floor(answers.length / 2)]?.ms ?? 0,
  longestMs: longest?.ms ?? 0,
  withoutCoreMs: longest?.withoutCoreMs ?? 0,
  longestOwnMs: answers
    .map(({ ms, withoutCoreMs }) => ms - withoutCoreMs)
    .sort((left, right) => right - left)
    .slice(0, 2),
};
process.send?.(report, () => process.disconnect());
client.close();
