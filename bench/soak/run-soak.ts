import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/client/index.js';
import { connectRaw } from '../raw-client.js';
import { openCheckedStream } from './checked-stream.js';
import { type KnownFrames, learnKnownFrames, makeKnownFrames } from './known-frames.js';
import { type LaunchedServer, launchPuppet, launchServe } from './launch.js';
import { residentMib } from './memory.js';
import { type ModelKind, publishVersions } from './models.js';
import { createTally, sum } from './tally.js';

export interface SoakOptions {
  /** The fake engine, or `seed-cnn` in the real one. */
  readonly kind: ModelKind;
  readonly frames: number;
  /** The soak ends early after it, with what it has. */
  readonly forMs: number;
  /** Whether it is a fault that too few frames went through to tell whether memory grew. @default true */
  readonly asksForMemory?: boolean;
  /** @default 8 */
  readonly streams?: number;
  /** @default 32 with the fake engine, 128 with the real one */
  readonly sizePx?: number;
}

/** What a soak saw. */
export interface SoakResult {
  readonly kind: ModelKind;
  readonly wanted: number;
  /** Frames that the server admitted. */
  readonly admitted: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly doubled: number;
  readonly crossed: number;
  readonly seconds: number;
  readonly framesPerSecond: number;
  readonly memory: {
    /** The frames after which the first of the two was taken. */
    readonly afterFrames: number;
    readonly afterMib: number;
    readonly endMib: number;
    readonly peakMib: number;
    /** End ÷ after; the goal is 1.1. */
    readonly ratio: number;
  };
  /** Whatever should not be; none is a pass. */
  readonly faults: readonly string[];
}

const mostMemoryRatio = 1.1;
/** A ratio says something of leaks only after so many times the frames of its first reading. */
const leastSpan = 10;
/** The first reading is asked for so much sooner than it must be: it comes up to 100 ms late. */
const ahead = 1.2;
const inFlight = 32;
const sampleEveryMs = 100;
/** Until then a process still compiles and V8's heap grows to its working size, load or no load. */
const settlesMs = 5000;

/**
 * Streams frames into a server in a process of its own and holds every answer against what
 * is known of its frame, while the server's memory is read from outside. Memory is compared
 * as the median over some of the first frames, and over as many at the end: a single
 * reading is as high as the last garbage collection is old. The first are taken from a twelfth of
 * all frames on: with a collector that is relaxed as `serve` does it, the heap comes to its working
 * size in the first 20 s (258 MiB after 4 s, 278 after 27, and 281 to 283 from there to the end of
 * a million frames).
 */
export async function runSoak(
  { kind, frames: wanted, forMs, streams = 8, asksForMemory = true, ...options }: SoakOptions,
  onProgress: (answered: number, remark: string) => void = () => {},
): Promise<SoakResult> {
  const sizePx = options.sizePx ?? (kind === 'fake' ? 32 : 128);
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-soak-'));
  let server: LaunchedServer | null = null;
  try {
    const config = { modelsDir: join(folder, 'models'), runsDir: join(folder, 'runs') };
    await publishVersions(config.modelsDir, { kind, sizePx, versions: 1 });
    server =
      kind === 'fake'
        ? await launchPuppet({ engine: { kind: 'fake', runMs: 0 }, config })
        : await launchServe({ config });
    const known = await knowFrames(server, kind, sizePx);
    const load = await sendFrames({ server, known, wanted, forMs, streams }, onProgress);
    const end = await server.stop();
    const { log } = server;
    const { tally, seconds, memory } = load;
    const settled = sum(log.outcomes);
    const faults = [
      ...load.faults,
      ...(end.exitCode === 0 ? [] : [`the server ended with ${end.exitCode ?? end.signal}`]),
      ...log.errors.map((line) => `the server logged: ${line}`),
      ...(log.admitted === tally.sent ? [] : [`${tally.sent} sent, ${log.admitted} admitted`]),
    ];
    const lost = Math.max(tally.lost, log.admitted - settled);
    if (lost + tally.doubled + tally.crossed > 0) faults.push('frames were lost or mixed up');
    const isLong = tally.sent >= leastSpan * memory.afterFrames;
    if (isLong && memory.ratio > mostMemoryRatio) faults.push('the memory of the server grew');
    if (!isLong && asksForMemory) {
      faults.push(
        `${tally.sent} frames do not tell whether memory grew: expected ${leastSpan} times the first ${memory.afterFrames}`,
      );
    }
    return {
      kind,
      wanted,
      admitted: log.admitted,
      outcomes: Object.fromEntries(log.outcomes),
      lost,
      doubled: tally.doubled,
      crossed: tally.crossed,
      seconds,
      framesPerSecond: tally.sent / seconds,
      memory,
      faults,
    };
  } finally {
    await server?.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

async function knowFrames(
  { port }: LaunchedServer,
  kind: ModelKind,
  sizePx: number,
): Promise<KnownFrames> {
  if (kind === 'fake') return makeKnownFrames({ sizePx });
  const client = connect(`127.0.0.1:${port}`);
  try {
    return await learnKnownFrames(client, { sizePx, contents: 64, versions: [1] });
  } finally {
    client.close();
  }
}

async function sendFrames(
  {
    server,
    known,
    wanted,
    forMs,
    streams,
  }: {
    server: LaunchedServer;
    known: KnownFrames;
    wanted: number;
    forMs: number;
    streams: number;
  },
  onProgress: (answered: number, remark: string) => void,
) {
  const tally = createTally();
  const leastFrames = Math.ceil(wanted / (ahead * leastSpan));
  let afterFrames = Number.POSITIVE_INFINITY;
  const samples: { answered: number; mib: number }[] = [];
  let started = 0;
  let answered = 0;
  const sample = () => {
    const mib = residentMib(server.pid);
    samples.push({ answered, mib });
    const isSettled = performance.now() - startedAtMs >= settlesMs;
    if (isSettled && answered >= leastFrames) afterFrames = Math.min(afterFrames, answered);
    onProgress(answered, `${mib.toFixed(0)} MiB`);
  };
  const startedAtMs = performance.now();
  const endMs = startedAtMs + forMs;
  const clients = [connectRaw(server.port), connectRaw(server.port)];
  const timer = setInterval(sample, sampleEveryMs);
  const codes = await Promise.all(
    Array.from({ length: streams }, async (_, streamNumber) => {
      const client = clients[streamNumber % clients.length];
      if (client === undefined) throw new Error('bug: no client');
      const { ended } = openCheckedStream(
        {
          streamNumber,
          inFlight,
          options: { delivery: streamNumber % 2 === 0 ? 'asCompleted' : 'inOrder' },
          goesOn: () => {
            if (started >= wanted || performance.now() > endMs) return false;
            started += 1;
            return true;
          },
        },
        {
          client,
          frames: known,
          tally,
          onAnswer: () => {
            answered += 1;
          },
        },
      );
      return (await ended).code;
    }),
  );
  clearInterval(timer);
  sample();
  const seconds = (performance.now() - startedAtMs) / 1000;
  for (const client of clients) client.close();
  // A soak that ended before compares nothing.
  if (afterFrames > answered) afterFrames = answered;
  const early = samples.filter((one) => isWithin(one.answered, afterFrames, 2 * afterFrames));
  const late = samples.filter((one) => one.answered >= answered - afterFrames);
  const endMib = medianMib(late);
  const afterMib = early.length > 0 ? medianMib(early) : endMib;
  const badCodes = codes.filter((code) => code !== 0);
  return {
    tally,
    seconds,
    memory: {
      afterFrames,
      afterMib,
      endMib,
      peakMib: Math.max(...samples.map(({ mib }) => mib)),
      ratio: endMib / afterMib,
    },
    faults: badCodes.map((code) => `a stream ended with status ${code}`),
  };
}

function isWithin(value: number, from: number, to: number): boolean {
  return value >= from && value <= to;
}

function medianMib(samples: readonly { readonly mib: number }[]): number {
  const sorted = samples.map(({ mib }) => mib).sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
