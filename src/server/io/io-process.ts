import cluster, { type Worker } from 'node:cluster';
import type { Clock } from '../../batching/index.js';
import { DomainError, errorCodes } from '../../errors.js';
import type { IoOptions, IoReply, IoRequest } from './messages.js';

/** How a process ended: both are null where it never began. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One of the processes that share the gRPC port, from its start to its end. */
export interface IoProcess {
  readonly pid: number | undefined;
  /**
   * Its port, as soon as it serves. Rejects with what keeps it from that, once the process is
   * gone: one that is not up after two minutes is killed.
   */
  readonly serving: Promise<number>;
  /** Resolves when it has ended. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Of no effect on one that is gone. */
  tell(request: IoRequest): void;
  /** Its metrics; null when it does not answer within a second. */
  metrics(): Promise<readonly object[] | null>;
  kill(): void;
}

export interface IoProcessOptions extends IoOptions {
  /** Path of the module that it runs. */
  readonly entry: string;
}

/** What a load gets in the engine, too. */
const startTimeoutMs = 120_000;
const metricsTimeoutMs = 1000;

/** Starts one. Throws where the machine refuses another process at once. */
export function startIoProcess(
  { entry, ...options }: IoProcessOptions,
  { clock }: { readonly clock: Clock },
): IoProcess {
  cluster.setupPrimary({
    exec: entry,
    args: [JSON.stringify(options)],
    // Flags of this process, such as a debugger's port, are not the child's.
    execArgv: [],
  });
  const worker = cluster.fork();
  const { pid } = worker.process;
  const ended = endOf(worker);
  const kill = () => {
    worker.process.kill('SIGKILL');
  };
  const serving = untilServing(worker, ended, clock).catch(async (error: unknown) => {
    kill();
    await ended;
    throw error;
  });
  const tell = (request: IoRequest) => {
    // One that is gone says so by its end.
    if (worker.isConnected()) worker.send(request, () => {});
  };
  let nextId = 1;
  return {
    pid,
    serving,
    ended,
    tell,
    kill,
    metrics() {
      const id = nextId++;
      return new Promise((resolve) => {
        const settle = (metrics: readonly object[] | null) => {
          forget();
          worker.off('message', onReply);
          resolve(metrics);
        };
        const onReply = (reply: IoReply) => {
          if (reply.kind === 'metrics' && reply.id === id) settle(reply.metrics);
        };
        const forget = clock.callAt(clock.now() + metricsTimeoutMs, () => settle(null));
        worker.on('message', onReply);
        tell({ kind: 'metrics', id });
      });
    },
  };
}

function endOf(worker: Worker): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    worker.once('exit', (code: number | null, signal: string | null) => resolve({ code, signal }));
    // What was never started does not exit.
    worker.on('error', () => {
      if (worker.process.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}

/** Settles with the first of: what the process says, its end, and the end of the time it has. */
function untilServing(worker: Worker, ended: Promise<ProcessEnd>, clock: Clock): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const fail = (code: string, message: string) => {
      forget();
      reject(new DomainError(errorCodes.find((known) => known === code) ?? 'internal', message));
    };
    const forget = clock.callAt(clock.now() + startTimeoutMs, () =>
      fail('internal', `an I/O process did not serve within ${startTimeoutMs} ms`),
    );
    worker.on('message', (reply: IoReply) => {
      if (reply.kind === 'failed') fail(reply.code, reply.message);
      if (reply.kind !== 'listening') return;
      forget();
      resolve(reply.port);
    });
    void ended.then(({ code, signal }) => {
      const how = signal ?? code;
      if (how === null) fail('internal', 'an I/O process could not be made');
      else fail('internal', `an I/O process ended with ${how} before it served`);
    });
  });
}
