import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../src/client/index.js';
import { createRandom, simulateCells, writeSimulatedDataset } from '../src/simulator/index.js';
import { closedLoop } from './closed-loop.js';
import { median } from './median.js';
import { measureOpenLoop, type OpenLoopResult } from './open-loop.js';
import { connectRaw, encodeFrame } from './raw-client.js';
import { publishSeed, startServer } from './served-seed.js';

/** What a training beside it does to serving. */
export interface IsolationMeasure {
  readonly framesPerSecond: number;
  /** Frames by the clock on a server that does nothing else. */
  readonly alone: Waiting;
  /** The same while a run trains on the same cores. */
  readonly beside: Waiting;
  /** Frames a second that the run trained meanwhile, and with nobody to make room for. */
  readonly trainedPerSecond: { readonly beside: number; readonly alone: number };
}

/** Medians of the stretches; the lost are those of all. */
type Waiting = Pick<OpenLoopResult, 'p50Ms' | 'p99Ms' | 'lost'>;

const streams = 4;
/** Of what the server can answer: what a microscope at full speed and a few slow ones send. */
const share = 0.25;
/** Short steps, so that few seconds hold many. */
const batchSize = 8;

/**
 * Measures p99 of served frames with and without a run of `seed-cnn` on the same server, with
 * the default settings of a server. Stretches take turns, each beside a run of its own: a slow
 * second of the machine is then one of many stretches, and no longer all that is told.
 */
export async function measureIsolation({
  rounds = 5,
  seconds = 6,
  frameCount = 400,
} = {}): Promise<IsolationMeasure> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-bench-'));
  const dataPath = join(folder, 'cells');
  await publishSeed(join(folder, 'models'));
  await writeSimulatedDataset(dataPath, { frameCount, sizePx: 128, seed: 1 }, () => {});
  const server = await startServer(join(folder, 'models'), ['--data-roots', folder]);
  const client = connectRaw(server.port);
  const frame = encodeFrame(simulateCells({ seed: 1, labels: [23], sizePx: 128 }));
  const random = createRandom(1);
  const admin = connect(`127.0.0.1:${server.port}`);
  try {
    const framesPerSecond =
      share * (await closedLoop(client, { frame, streams, inFlight: 16, forMs: 3000 }));
    const measure = () =>
      measureOpenLoop(client, {
        ...{ model: 'bench', frame, framesPerSecond, streams, seconds },
        arrivals: 'clocked',
        random: () => random.unit(),
      });
    await measure();
    const alone: OpenLoopResult[] = [];
    const beside: OpenLoopResult[] = [];
    const trained = { alone: 0, beside: 0 };
    for (let round = 0; round < rounds; round += 1) {
      alone.push(await measure());
      const run = await startRun(admin, { dataPath, runId: `beside-${round}` });
      const besideFrom = run.steps();
      beside.push(await measure());
      const aloneFrom = run.steps();
      await sleep(seconds * 1000);
      const end = run.steps();
      trained.beside += aloneFrom - besideFrom;
      trained.alone += end - aloneFrom;
      await run.stop();
      // The version that it leaves is loaded meanwhile.
      await sleep(1000);
    }
    const perSecond = (steps: number) => (steps * batchSize) / (rounds * seconds);
    return {
      framesPerSecond,
      alone: summarise(alone),
      beside: summarise(beside),
      trainedPerSecond: { alone: perSecond(trained.alone), beside: perSecond(trained.beside) },
    };
  } finally {
    client.close();
    admin.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts a run that would go on for long; resolves with its first step. */
async function startRun(
  admin: Client,
  { dataPath, runId }: { readonly dataPath: string; readonly runId: string },
) {
  let steps = 0;
  let isStopping = false;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const follow = async () => {
    const spec = { dataPath, model: 'beside', epochs: 1000, patience: 1000, batchSize };
    for await (const event of admin.train(spec, { runId })) {
      if (event.kind === 'ended' && !isStopping) throw new Error(`the run ended: ${event.reason}`);
      if (event.kind !== 'step') continue;
      steps += 1;
      begin();
    }
  };
  const ended = follow();
  await Promise.race([begun, ended]);
  return {
    steps: () => steps,
    async stop() {
      isStopping = true;
      await admin.stopRun(runId);
      await ended;
    },
  };
}

function summarise(stretches: readonly OpenLoopResult[]): Waiting {
  return {
    p50Ms: median(stretches.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(stretches.map(({ p99Ms }) => p99Ms)),
    lost: stretches.reduce((sum, { lost }) => sum + lost, 0),
  };
}
