import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '../../batching/index.js';
import { backOffMs } from '../../engines/index.js';
import type { Log } from '../../log.js';
import type { Serving } from '../../rpc/index.js';
import { type IoProcess, startIoProcess } from './io-process.js';
import type { IoOptions } from './messages.js';

/** The processes that share the gRPC port. */
export interface IoProcesses {
  readonly port: number;
  /** Has each tell health what this process tells it. */
  setServing(serving: Serving): void;
  /** The metrics of each; one that does not answer within a second is left out. */
  snapshots(): Promise<readonly (readonly object[])[]>;
  /**
   * Lets each finish its calls within the grace period, ends it then, and resolves when all
   * have ended. Idempotent.
   */
  drain(graceMs: number): Promise<void>;
}

export interface IoProcessesOptions extends IoOptions {
  readonly count: number;
  /** Until `setServing`. */
  readonly serving: Serving;
  /** Path of the module that each runs. @default main.js of this folder */
  readonly entry?: string;
}

export interface IoProcessesCollaborators {
  readonly log: Log;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** One event loop receives and answers what about so many cores of engine run. */
const coresPerLoop = 12;
const mostProcesses = 4;
const restartDelayMs = 500;
/** What a process gets that is to end at once. */
const leastDrainMs = 1000;

/**
 * How many processes should share the port: as it is set, or by the cores. 1 means that
 * the process with the engine has the port itself.
 */
export function countIoProcesses(wanted: number, cores = availableParallelism()): number {
  if (wanted > 0) return wanted;
  return Math.max(1, Math.min(mostProcesses, Math.floor(cores / coresPerLoop)));
}

/**
 * Starts `count` processes that share the port of the config; connections are dealt to them
 * in turn. One that ends is replaced after half a second, a pause that doubles up to 30 s with
 * each start that fails; its connections are lost, as if the network had cut them. There are
 * never more than `count`.
 *
 * Throws `option_invalid` naming a port in use, and what else keeps one from its first start.
 */
export async function startIoProcesses(
  {
    count,
    serving: atFirst,
    entry = fileURLToPath(new URL('./main.js', import.meta.url)),
    ...options
  }: IoProcessesOptions,
  { log, clock = systemClock }: IoProcessesCollaborators,
): Promise<IoProcesses> {
  const running = new Set<IoProcess>();
  let drained: Promise<void> | null = null;
  let serving = atFirst;

  const pause = (delayMs: number) =>
    new Promise<void>((resolve) => {
      clock.callAt(clock.now() + delayMs, resolve);
    });

  /** Resolves when it serves; when it rejects there is none. */
  const start = async (): Promise<IoProcess> => {
    const started = startIoProcess({ entry, ...options }, { clock });
    running.add(started);
    started.tell({ kind: 'serving', serving });
    void started.ended.then(() => running.delete(started));
    const port = await started.serving;
    log.info({ pid: started.pid, port }, 'an I/O process serves');
    return started;
  };
  /** Replaces the one of a place whenever it has ended: nothing else starts any after the first. */
  const keep = async (first: IoProcess): Promise<void> => {
    let current: IoProcess | null = first;
    let failedStarts = 0;
    for (;;) {
      const end = await current?.ended;
      if (drained !== null) return;
      if (current) log.error({ pid: current.pid, ...end }, 'an I/O process ended');
      await pause(backOffMs(restartDelayMs, failedStarts));
      if (drained !== null) return;
      current = await start().catch((error: unknown) => {
        if (drained === null) log.error({ error }, 'an I/O process could not be started');
        return null;
      });
      failedStarts = current ? 0 : failedStarts + 1;
    }
  };
  const open = async (): Promise<number> => {
    const first = await start();
    void keep(first);
    return first.serving;
  };

  const kill = () => {
    for (const each of running) each.kill();
  };
  const drain = async (graceMs: number) => {
    const ends = [...running].map(({ ended }) => ended);
    for (const each of running) each.tell({ kind: 'drain', graceMs });
    const late = pause(Math.max(leastDrainMs, graceMs)).then(kill);
    await Promise.race([Promise.all(ends), late]);
  };

  try {
    // The first takes the port; with port 0 the others get the same.
    const port = await open();
    await Promise.all(Array.from({ length: count - 1 }, open));
    log.info({ port, processes: count }, 'I/O processes share the port');
    return {
      port,
      setServing(now) {
        serving = now;
        for (const each of running) each.tell({ kind: 'serving', serving });
      },
      async snapshots() {
        const asked = [...running].map((each) => each.metrics());
        return (await Promise.all(asked)).flatMap((metrics) => (metrics ? [metrics] : []));
      },
      drain(graceMs) {
        if (drained !== null && graceMs === 0) kill();
        drained ??= drain(graceMs);
        return drained;
      },
    };
  } catch (error) {
    drained = Promise.resolve();
    kill();
    throw error;
  }
}
