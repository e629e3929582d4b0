import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from '../median.js';
import { publishSeed, startServer } from '../served-seed.js';
import { linesOf, scriptOf } from './lines-of.js';
import type { GpuBenchOptions, Parts, Row } from './row.js';

const clients = 4;
const streamsOfClient = 4;

/** The whole server with batches of up to each size, and clients that keep it busy. */
export async function measureServer(
  { device, forMs, batchSizes, precisions }: GpuBenchOptions,
  workers: number,
  { say, miss }: Parts,
): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-gpu-'));
  const rows: Row[] = [];
  try {
    await publishSeed(folder);
    for (const precision of precisions) {
      for (const batchSize of batchSizes) {
        const what = `through the server, ${precision} precision, batches of up to ${batchSize}`;
        say(what);
        const sizes = [...new Set([1, Math.ceil(batchSize / 4), batchSize])];
        const words = ['--device', device, '--precision', precision];
        const engine = ['--engine-workers', String(workers), '--batch-sizes', sizes.join(',')];
        const room = ['--max-in-flight', '1024', '--max-queued-frames', '16384'];
        try {
          const server = await startServer(folder, [...words, ...engine, ...room]);
          try {
            const served = await precisionOf(server.httpPort);
            if (served !== precision)
              throw new Error(`the version is served in ${served} precision`);
            const measured = await measurePort(server.port, { batchSize, workers, forMs });
            const by = `${clients * streamsOfClient} streams, ${precision}, ${workers} workers`;
            rows.push({ what: 'server', by, isYardstick: false, batchSize, ...measured });
          } finally {
            await server.stop();
          }
        } catch (thrown) {
          miss(what, thrown);
        }
      }
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the server says that it computes in. */
async function precisionOf(httpPort: number): Promise<string> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  return /^cytostream_model_info\{.*precision="(\w*)"/m.exec(text)?.[1] ?? 'no';
}

async function measurePort(
  port: number,
  {
    batchSize,
    workers,
    forMs,
  }: { readonly batchSize: number; readonly workers: number; readonly forMs: number },
) {
  // Enough for two batches a worker, and no more, or the queue is what is measured.
  const wanted = batchSize * workers * 2;
  const inFlight = Math.max(1, Math.ceil(wanted / (clients * streamsOfClient)));
  const args = [String(port), String(streamsOfClient), String(inFlight)];
  const runAll = (ms: number) =>
    Promise.all(
      Array.from({ length: clients }, () =>
        linesOf(process.execPath, [scriptOf('gpu/client-process.js'), ...args, String(ms)]),
      ),
    );
  await runAll(forMs / 4);
  const told = (await runAll(forMs)).flat() as {
    readonly answered: number;
    readonly ok: number;
    readonly seconds: number;
    readonly times: number[];
  }[];
  const lost = told.reduce((sum, { answered, ok }) => sum + answered - ok, 0);
  if (lost > 0) throw new Error(`${lost} frames were not answered with ok`);
  const times = told.flatMap((client) => client.times);
  return {
    framesPerSecond: told.reduce((sum, { ok, seconds }) => sum + ok / seconds, 0),
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  };
}
