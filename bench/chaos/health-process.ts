// Asks a server for its health every 100 ms, in a process of its own: the one that makes
// the load is too busy to tell when an answer came. Argument: the port.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { credentials, Client as GrpcClient, Metadata } from '@grpc/grpc-js';
import type { HealthReport } from './ask-health.js';

const everyMs = 100;
const patienceMs = 30_000;
const path = '/grpc.health.v1.Health/Check';
/** HealthCheckResponse {status: SERVING}. */
const serving = Buffer.from([0x08, 0x01]);

const client = new GrpcClient(`127.0.0.1:${process.argv[2]}`, credentials.createInsecure());
const asIs = (bytes: Buffer) => bytes;
const stalls = monitorEventLoopDelay({ resolution: 5 });
const times: number[] = [];
let failed = 0;
let isOver = false;

async function ask(): Promise<void> {
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
  times.push(performance.now() - askedAtMs);
  if (answer === undefined || !serving.equals(answer)) failed += 1;
}

// The first opens the connection; it is not counted.
await ask();
times.length = 0;
failed = 0;
stalls.enable();
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
times.sort((left, right) => left - right);
const report: HealthReport = {
  asked: times.length,
  failed,
  medianMs: times[Math.floor(times.length / 2)] ?? 0,
  longestMs: times.at(-1) ?? 0,
  ownStallMs: stalls.max / 1e6,
};
process.send?.(report, () => process.disconnect());
client.close();
