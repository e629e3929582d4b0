import type { Worker } from 'node:worker_threads';
import { DomainError } from '../errors.js';
import type { WorkerReply, WorkerRequest } from './worker-messages.js';

type Request = WorkerRequest extends infer One
  ? One extends One
    ? Omit<One, 'id'>
    : never
  : never;

export interface WorkerLinkOptions {
  /** Longest time one request may take before the worker counts as hung. */
  readonly timeoutMs: number;
}

/** One life of a worker thread: requests in, answers out, in the same order. */
export interface WorkerLink {
  /** Throws `model_failed`, `internal`, or `not_ready` when the worker ends before it answers. */
  ask(request: Request, transfer?: readonly ArrayBuffer[]): Promise<WorkerReply>;
  /** Settles when the worker is gone, with the reason. */
  readonly ended: Promise<string>;
  /** Ends it without an answer to anyone. */
  kill(reason: string): void;
}

interface Pending {
  readonly resolve: (reply: WorkerReply) => void;
  readonly reject: (error: DomainError) => void;
}

/**
 * Speaks with one worker.
 *
 * Behaviour: the oldest request without an answer is watched: if it takes longer than
 * `timeoutMs` the worker is ended. When the worker ends, however it does, all that wait
 * are rejected with `not_ready`. A worker stuck in native code cannot be stopped by force:
 * it is abandoned, and its thread ends when the native call returns.
 */
export function createWorkerLink(worker: Worker, { timeoutMs }: WorkerLinkOptions): WorkerLink {
  const pending = new Map<number, Pending>();
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
    if (pending.size === 0) return;
    watch = setTimeout(() => kill(`no answer within ${timeoutMs} ms`), timeoutMs);
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

  const kill = (why: string) => {
    end(why);
    void worker.terminate();
  };

  worker.on('message', (reply: WorkerReply) => {
    const asked = pending.get(reply.id);
    pending.delete(reply.id);
    watchOldest();
    if (reply.kind !== 'fault') asked?.resolve(reply);
    else asked?.reject(new DomainError(reply.code, reply.fault, { cause: reply.detail }));
  });
  worker.on('messageerror', (error) => kill(`an answer could not be read: ${error.message}`));
  worker.on('error', (error) => end(`it threw: ${error instanceof Error ? error.message : error}`));
  worker.on('exit', (code) => end(`it ended with code ${code}`));

  return {
    ended,
    kill,
    ask(request, transfer = []) {
      if (reason !== null) return Promise.reject(restarting());
      return new Promise((resolve, reject) => {
        const id = nextId;
        nextId += 1;
        pending.set(id, { resolve, reject });
        if (pending.size === 1) watchOldest();
        worker.postMessage({ ...request, id }, transfer);
      });
    },
  };
}

function restarting(): DomainError {
  return new DomainError('not_ready', 'the engine restarts; try again');
}
