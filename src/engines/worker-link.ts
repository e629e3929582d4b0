import type { Worker } from 'node:worker_threads';
import { DomainError } from '../errors.js';
import { holdExit } from './exit-gates.js';
import { RunPatience } from './run-patience.js';
import { gateSlots, type WorkerReply, type WorkerRequest } from './worker-messages.js';

type Request = WorkerRequest extends infer One
  ? One extends One
    ? Omit<One, 'id'>
    : never
  : never;

/** Longest time of one request before the worker counts as hung. */
export interface WorkerLinkOptions {
  readonly runTimeoutMs: number;
  /** What the first run of a model in a batch size is given. */
  readonly firstRunTimeoutMs: number;
  /** What a run of a known batch size is given at least; see `RunPatience`. */
  readonly leastRunTimeoutMs: number;
  /** Of everything but a run: starting and loading take longer. */
  readonly loadTimeoutMs: number;
}

/** A started thread, and the memory it shares with this one. */
export interface StartedWorker {
  readonly worker: Worker;
  readonly gate: Int32Array<SharedArrayBuffer>;
}

/** One life of a worker thread: requests in, answers out, in the same order. */
export interface WorkerLink {
  /** Throws `model_failed`, `internal`, or `not_ready` when the worker ends before it answers. */
  ask(request: Request, transfer?: readonly ArrayBuffer[]): Promise<WorkerReply>;
  /** Settles when the worker is gone, with the reason. */
  readonly ended: Promise<string>;
  /** Lets it go without an answer to anyone; returns how many waited for one. */
  abandon(reason: string): number;
}

/**
 * A timer that is this late tells of a process that was stopped (SIGSTOP, a suspended
 * machine), not of a worker that hangs.
 */
const standstillMs = 1000;

interface Pending {
  readonly resolve: (reply: WorkerReply) => void;
  readonly reject: (error: DomainError) => void;
  readonly timeoutMs: number;
  readonly request: Request;
}

/**
 * Speaks with one worker.
 *
 * Behaviour: the oldest request without an answer is watched: if it takes longer than its
 * kind may the worker is abandoned; time in which the whole process stood does not count.
 * When the worker ends, however it does, all that wait are rejected with `not_ready`. An abandoned worker is asked to end and ends when its
 * native call returns; it is never ended by force: ONNX Runtime aborts the whole process
 * (an uncaught `Napi::Error`) when its thread is terminated during a run.
 */
export function createWorkerLink(
  { worker, gate }: StartedWorker,
  { runTimeoutMs, firstRunTimeoutMs, leastRunTimeoutMs, loadTimeoutMs }: WorkerLinkOptions,
): WorkerLink {
  const patience = new RunPatience({
    ...{ mostMs: runTimeoutMs, firstMs: firstRunTimeoutMs, leastMs: leastRunTimeoutMs },
  });
  const pending = new Map<number, Pending>();
  const letExit = holdExit(gate);
  let nextId = 1;
  let watch: NodeJS.Timeout | null = null;
  let reason: string | null = null;
  let tellEnded: (reason: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    tellEnded = resolve;
  });

  const watchOldest = () => {
    if (watch !== null) clearTimeout(watch);
    watch = null;
    const [oldest] = pending.values();
    if (!oldest) return;
    const { timeoutMs } = oldest;
    const dueAtMs = performance.now() + timeoutMs;
    watch = setTimeout(() => {
      // This process stood still, and with it the worker or the answer that it has given.
      if (performance.now() - dueAtMs > standstillMs) watchOldest();
      else abandon(`no answer within ${timeoutMs} ms`);
    }, timeoutMs);
    watch.unref();
  };

  const end = (why: string) => {
    if (reason !== null) return;
    reason = why;
    const waiting = [...pending.values()];
    pending.clear();
    watchOldest();
    for (const { reject } of waiting) reject(restarting());
    tellEnded(why);
  };

  const abandon = (why: string): number => {
    const unanswered = pending.size;
    end(why);
    Atomics.store(gate, gateSlots.stopped, 1);
    worker.unref();
    worker.postMessage({ kind: 'close', id: 0 } satisfies WorkerRequest);
    return unanswered;
  };

  worker.on('message', (reply: WorkerReply) => {
    const asked = pending.get(reply.id);
    pending.delete(reply.id);
    watchOldest();
    if (reply.kind === 'ran' && asked?.request.kind === 'run') {
      patience.learn(asked.request.sessionId, asked.request.batchSize, reply.runMs);
    }
    if (reply.kind !== 'fault') asked?.resolve(reply);
    else asked?.reject(new DomainError(reply.code, reply.fault, { cause: reply.detail }));
  });
  worker.on('messageerror', (error) => abandon(`an answer could not be read: ${error.message}`));
  worker.on('error', (error) => end(`it threw: ${error instanceof Error ? error.message : error}`));
  worker.on('exit', (code) => {
    letExit(); // an abandoned one may still be within a run
    end(`it ended with code ${code}`);
  });

  const timeoutOf = (request: Request): number => {
    if (request.kind === 'run') return patience.ofRun(request.sessionId, request.batchSize);
    return request.kind === 'runGraph' ? runTimeoutMs : loadTimeoutMs;
  };

  return {
    ended,
    abandon,
    ask(request, transfer = []) {
      if (reason !== null) return Promise.reject(restarting());
      return new Promise((resolve, reject) => {
        const id = nextId;
        nextId += 1;
        if (request.kind === 'unload') patience.forget(request.sessionId);
        pending.set(id, { resolve, reject, timeoutMs: timeoutOf(request), request });
        if (pending.size === 1) watchOldest();
        worker.postMessage({ ...request, id }, transfer);
      });
    },
  };
}

function restarting(): DomainError {
  return new DomainError('not_ready', 'the engine restarts; try again');
}
