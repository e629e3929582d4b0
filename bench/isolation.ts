import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../src/client/index.js';
import { createRandom, simulateCells, writeSimulatedDataset } from '../src/simulator/index.js';
import { closedLoop } from './closed-loop.js';
import { measureOpenLoop, type OpenLoopResult } from './open-loop.js';
import { connectRaw, encodeFrame } from './raw-client.js';
import { publishSeed, startServer } from './served-seed.js';

/** What a training beside it does to serving. */
export interface IsolationMeasure {
  readonly framesPerSecond: number;
  /** Frames by the clock on a server that does nothing else. */
  readonly alone: OpenLoopResult;
  /** The same while a run trains on the same cores. */
  readonly beside: OpenLoopResult;
  /** Frames a second that the run trained meanwhile, and with nobody to make room for. */
  readonly trainedPerSecond: { readonly beside: number; readonly alone: number };
}

const streams = 4;
/** Of what the server can answer: what a microscope at full speed and a few slow ones send. */
const share = 0.25;

/**
 * Measures p99 of served frames with and without a run of `seed-cnn` on the same
 * server, in rounds that take turns, with the default settings of a server.
 */
export async function measureIsolation(seconds = 8, frameCount = 400): Promise<IsolationMeasure> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-bench-'));
  const dataPath = join(folder, 'cells');
  await publishSeed(join(folder, 'models'));
  await writeSimulatedDataset(dataPath, { frameCount, sizePx: 128, seed: 1 }, () => {});
  const server = await startServer(join(folder, 'models'), ['--data-roots', folder]);
  const target = `127.0.0.1:${server.port}`;
  const client = connectRaw(server.port);
  const frame = encodeFrame(simulateCells({ seed: 1, labels: [23], sizePx: 128 }));
  const random = createRandom(1);
  const admin = connect(target);
  try {
    const framesPerSecond =
      share * (await closedLoop(client, { frame, streams, inFlight: 16, forMs: 3000 }));
    const measure = (forSeconds: number) =>
      measureOpenLoop(client, {
        ...{ model: 'bench', frame, framesPerSecond, streams, seconds: forSeconds },
        arrivals: 'clocked',
        random: () => random.unit(),
      });
    await measure(2);
    const alone = await measure(seconds);
    const stepsAtMs: number[] = [];
    // Short steps, so that few seconds hold many.
    const batchSize = 8;
    const trains = new Promise<void>((resolve, reject) => {
      const follow = async () => {
        const spec = { dataPath, model: 'beside', epochs: 1000, patience: 1000, batchSize };
        for await (const event of admin.train(spec, { runId: 'beside' })) {
          if (event.kind === 'ended') throw new Error(`the run ended: ${event.reason}`);
          if (event.kind !== 'step') continue;
          stepsAtMs.push(performance.now());
          resolve();
        }
      };
      follow().catch(reject);
    });
    await trains;
    const trainedSince = (startMs: number, endMs: number) =>
      (stepsAtMs.filter((atMs) => atMs >= startMs && atMs < endMs).length * batchSize * 1000) /
      (endMs - startMs);
    const aloneFromMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const besideFromMs = performance.now();
    const beside = await measure(seconds);
    const endMs = performance.now();
    return {
      framesPerSecond,
      alone,
      beside,
      trainedPerSecond: {
        alone: trainedSince(aloneFromMs, besideFromMs),
        beside: trainedSince(besideFromMs, endMs),
      },
    };
  } finally {
    client.close();
    admin.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
