import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createRandom, simulateCells } from '../src/simulator/index.js';
import { closedLoop } from './closed-loop.js';
import { makeCppLoad } from './cpp-load.js';
import { median } from './median.js';
import { type Arrivals, measureOpenLoop, type OpenLoopResult } from './open-loop.js';
import { connectRaw, encodeFrame, encodeOptions } from './raw-client.js';
import { publishSeed, startServer } from './served-seed.js';
import { buildCpp } from './yardsticks.js';

/** How serving did beside the bare engine loop, in rounds that took turns. */
export interface ClassifyMeasure {
  readonly engineFramesPerSecond: number;
  readonly engineRunOfOneMs: number;
  readonly serverFramesPerSecond: number;
  /** Served ÷ bare: the goal is 0.95. */
  readonly throughputRatio: number;
  /** At 60 % of the served rate: each stream by its clock, and frames in random bunches. */
  readonly waiting: Readonly<Record<Arrivals, Waiting>>;
  /** Longest stall of the server's event loop in all rounds, while frames came. */
  readonly stallMs: number;
  /**
   * The same of this process meanwhile, which only waits: what the machine did to everyone. null
   * where it makes the load.
   */
  readonly idleStallMs: number | null;
}

/** Frames that come by the clock, in stretches that take turns with the bare engine's: medians of the stretches. */
export interface Waiting extends OpenLoopResult {
  readonly stretches: number;
  /** p99 of the bare engine that is given the same arrivals, without a server: what waiting costs at least. */
  readonly bareP99Ms: number;
}

const streams = 8;
const inFlight = 16;

export interface ClassifyMeasureOptions {
  /** @default 3 */
  readonly rounds?: number;
  /** @default 5000 */
  readonly roundMs?: number;
  /**
   * Of frames that come by the clock: a machine that is shared has slow seconds, in which what
   * came before them waits for all that comes after, so that one stretch says little of p99.
   * @default 7
   */
  readonly stretches?: number;
  /**
   * A server runs for days: the code of both sides is to be compiled when the clock starts.
   * @default 15000
   */
  readonly warmMs?: number;
}

/**
 * Measures streaming Classify with `seed-cnn`: a server in a process of its own, eight
 * streams of raw 64 KiB frames from another, and between the rounds the bare engine loop in a
 * third, which then has the cores alone. The load shares the cores with the server, so it is
 * C++ where that can be compiled, else this process.
 */
export async function measureClassify(
  { rounds = 3, roundMs = 5000, stretches = 7, warmMs = 15_000 }: ClassifyMeasureOptions = {},
  say: (line: string) => void = console.log,
): Promise<ClassifyMeasure> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-bench-'));
  const models = join(folder, 'models');
  const modelPath = await publishSeed(models);
  const cpp = await buildCpp();
  if (cpp === null) {
    say('THE LOAD IS NODE.JS, which takes more of the cores: no g++ with gRPC (libgrpc++-dev).');
  }
  const frame = encodeFrame(simulateCells({ seed: 1, labels: [23], sizePx: 128 }));
  const server = await startServer(models);
  const { port } = server;
  const load = await (cpp === null
    ? loadFromHere({ port, frame })
    : loadInCpp(cpp.client, { port, folder, frame }));
  try {
    await load.closedLoop(warmMs);
    let stallMs = 0;
    let idleStallMs = 0;
    const everyMs = 10; // as the server looks
    const own = monitorEventLoopDelay({ resolution: everyMs });
    const whileServing = async <T>(serve: () => Promise<T>): Promise<T> => {
      // Reading it starts it anew: between the rounds the server waits while others have the cores.
      await longestStallMs(server.httpPort);
      own.reset();
      own.enable();
      const result = await serve();
      own.disable();
      idleStallMs = Math.max(idleStallMs, own.max / 1e6 - everyMs);
      stallMs = Math.max(stallMs, await longestStallMs(server.httpPort));
      return result;
    };
    const bare: EngineLoop[] = [];
    const served: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      bare.push(await runEngineLoop(modelPath, roundMs));
      served.push(await whileServing(() => load.closedLoop(roundMs)));
    }
    const engineFramesPerSecond = median(bare.map(({ framesPerSecond }) => framesPerSecond));
    const engineRunOfOneMs = median(bare.map(({ runOfOneMs }) => runOfOneMs));
    const serverFramesPerSecond = median(served);
    const framesPerSecond = serverFramesPerSecond * 0.6;
    const waitingOf = async (arrivals: Arrivals): Promise<Waiting> => {
      const results: OpenLoopResult[] = [];
      const bareP99s: number[] = [];
      for (let stretch = 0; stretch < stretches; stretch += 1) {
        const plan = { framesPerSecond, seconds: roundMs / 1000, arrivals };
        results.push(await whileServing(() => load.openLoop(plan)));
        const bareLoop = await runEngineLoop(modelPath, roundMs, [arrivals, `${framesPerSecond}`]);
        bareP99s.push(bareLoop.p99Ms);
      }
      return { ...middleOf(results), stretches, bareP99Ms: median(bareP99s) };
    };
    const waiting = { clocked: await waitingOf('clocked'), random: await waitingOf('random') };
    return {
      engineFramesPerSecond,
      engineRunOfOneMs,
      serverFramesPerSecond,
      throughputRatio: serverFramesPerSecond / engineFramesPerSecond,
      waiting,
      stallMs,
      idleStallMs: cpp === null ? null : idleStallMs,
    };
  } finally {
    load.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** All frames of some stretches, and the median stretch's times. */
function middleOf(results: readonly OpenLoopResult[]): OpenLoopResult {
  const sum = (of: (result: OpenLoopResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  return {
    frames: sum(({ frames }) => frames),
    lost: sum(({ lost }) => lost),
    p50Ms: median(results.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
    maxMs: median(results.map(({ maxMs }) => maxMs)),
  };
}

/** What sends the frames. */
interface Load {
  /** Frames a second of streams that always have frames in flight. */
  closedLoop(forMs: number): Promise<number>;
  openLoop(plan: {
    readonly framesPerSecond: number;
    readonly seconds: number;
    readonly arrivals: Arrivals;
  }): Promise<OpenLoopResult>;
  close(): void;
}

function loadFromHere({ port, frame }: { readonly port: number; readonly frame: Buffer }): Load {
  const client = connectRaw(port);
  const random = createRandom(1);
  return {
    closedLoop: (forMs) => closedLoop(client, { frame, streams, inFlight, forMs }),
    openLoop: (plan) =>
      measureOpenLoop(client, {
        ...plan,
        model: 'bench',
        frame,
        streams,
        random: () => random.unit(),
      }),
    close: () => client.close(),
  };
}

async function loadInCpp(
  client: string,
  {
    port,
    folder,
    frame,
  }: { readonly port: number; readonly folder: string; readonly frame: Buffer },
): Promise<Load> {
  const load = await makeCppLoad(client, {
    folder: join(folder, 'as-completed'),
    frame,
    options: encodeOptions({ model: 'bench', maxInFlight: inFlight }),
  });
  const inOrder = await makeCppLoad(client, {
    folder: join(folder, 'in-order'),
    frame,
    options: encodeOptions({ model: 'bench', delivery: 'inOrder', maxInFlight: 256 }),
  });
  return {
    async closedLoop(forMs) {
      const { answered, elapsedMs } = await load({ port, streams, seconds: forMs / 1000 });
      return (answered * 1000) / elapsedMs;
    },
    async openLoop({ seconds, ...byClock }) {
      const { sent, answered, ...times } = await inOrder({ port, streams, seconds, byClock });
      const { p50Ms = Number.NaN, p99Ms = Number.NaN, maxMs = Number.NaN } = times;
      return { frames: sent, lost: sent - answered, p50Ms, p99Ms, maxMs };
    },
    close: () => {},
  };
}

/** What `engine-process` prints. */
interface EngineLoop {
  readonly framesPerSecond: number;
  readonly runOfOneMs: number;
  readonly p99Ms: number;
}

async function runEngineLoop(
  modelPath: string,
  forMs: number,
  arrivals: readonly string[] = [],
): Promise<EngineLoop> {
  const script = fileURLToPath(new URL('./engine-process.js', import.meta.url));
  const args = [script, modelPath, String(forMs), ...arrivals];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as EngineLoop;
}

async function longestStallMs(httpPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  const [, seconds] = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text) ?? [];
  if (seconds === undefined)
    throw new Error('expected nodejs_eventloop_lag_max_seconds in /metrics');
  // It holds the time between two looks at the clock, which are 10 ms apart by intent.
  return Math.max(0, Number(seconds) * 1000 - 10);
}
