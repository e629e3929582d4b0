import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DomainError, errorCodes } from '../../errors.js';
import type { Log } from '../../telemetry/index.js';
import type { IoOptions, IoReply, IoRequest } from './messages.js';

/** The processes that share the gRPC port. */
export interface IoProcesses {
  readonly port: number;
  /** The metrics of each; one that does not answer within a second is left out. */
  snapshots(): Promise<readonly (readonly object[])[]>;
  /**
   * Lets each finish its calls within the grace period, ends it then, and resolves when all
   * have ended. Idempotent.
   */
  drain(graceMs: number): Promise<void>;
}

/** One event loop receives and answers what about so many cores of engine run. */
const coresPerLoop = 12;
const mostProcesses = 4;
const restartDelayMs = 500;
const metricsTimeoutMs = 1000;
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
 * in turn. One that ends is replaced after half a second; its connections are lost, as if
 * the network had cut them.
 *
 * Throws `option_invalid` naming a port in use, and what else keeps the first from starting.
 */
export async function startIoProcesses(
  count: number,
  options: IoOptions,
  log: Log,
): Promise<IoProcesses> {
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('./main.js', import.meta.url)),
    args: [JSON.stringify(options)],
    // Flags of this process, such as a debugger's port, are not the child's.
    execArgv: [],
  });
  const workers = new Set<Worker>();
  let drained: Promise<void> | null = null;
  let nextId = 1;

  const start = async (): Promise<number> => {
    const worker = cluster.fork();
    workers.add(worker);
    worker.once('exit', (code, signal) => {
      workers.delete(worker);
      if (drained !== null) return;
      log.error({ pid: worker.process.pid, code, signal }, 'an I/O process ended');
      void restart();
    });
    const reply = await first(worker);
    if (reply.kind === 'listening') {
      log.info({ pid: worker.process.pid, port: reply.port }, 'an I/O process serves');
      return reply.port;
    }
    worker.removeAllListeners('exit');
    workers.delete(worker);
    if (reply.kind !== 'failed') throw new Error(`bug: an I/O process began with ${reply.kind}`);
    const code = errorCodes.find((known) => known === reply.code) ?? 'internal';
    throw new DomainError(code, reply.message);
  };
  const restart = async () => {
    await sleep(restartDelayMs, undefined, { ref: false });
    if (drained !== null) return;
    await start().catch((error: unknown) => {
      log.error({ error }, 'an I/O process could not be started');
      void restart();
    });
  };

  const kill = () => {
    for (const worker of workers) worker.process.kill('SIGKILL');
  };
  const drain = async (graceMs: number) => {
    const late = AbortSignal.timeout(Math.max(leastDrainMs, graceMs));
    const ends = [...workers].map((worker) =>
      worker.isDead() ? null : once(worker, 'exit', { signal: late }),
    );
    for (const worker of workers) ask(worker, { kind: 'drain', graceMs });
    await Promise.all(ends).catch(kill);
  };

  try {
    // The first takes the port; with port 0 the others get the same.
    const port = await start();
    await Promise.all(Array.from({ length: count - 1 }, start));
    log.info({ port, processes: count }, 'I/O processes share the port');
    return {
      port,
      async snapshots() {
        const asked = [...workers].map((worker) => snapshotOf(worker, nextId++));
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

/** What a process says first; one that ends before has failed. */
function first(worker: Worker): Promise<IoReply> {
  return new Promise((resolve) => {
    worker.once('message', (reply: IoReply) => resolve(reply));
    worker.once('exit', (code, signal) => {
      const message = `an I/O process ended with ${signal ?? code} before it served`;
      resolve({ kind: 'failed', code: 'internal', message });
    });
  });
}

async function snapshotOf(worker: Worker, id: number): Promise<readonly object[] | null> {
  const { promise, resolve } = withTimeout<readonly object[] | null>(metricsTimeoutMs, null);
  const onReply = (reply: IoReply) => {
    if (reply.kind === 'metrics' && reply.id === id) resolve(reply.metrics);
  };
  worker.on('message', onReply);
  ask(worker, { kind: 'metrics', id });
  return promise.finally(() => worker.off('message', onReply));
}

function ask(worker: Worker, request: IoRequest): void {
  // One that is gone says so by its exit.
  if (worker.isConnected()) worker.send(request, () => {});
}

function withTimeout<T>(delayMs: number, late: T) {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((onValue) => {
    resolve = onValue;
  });
  const timer = setTimeout(() => resolve(late), delayMs);
  return { promise: promise.finally(() => clearTimeout(timer)), resolve };
}
