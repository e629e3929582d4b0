import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { status } from '@grpc/grpc-js';
import { DomainError } from '../errors.js';
import type { Log } from '../log.js';
import type { Metrics } from '../telemetry/index.js';
import type { LoopBudget } from './loop-budget.js';
import { statusOf } from './status.js';

/** What a handler knows of its call beside the request. */
export interface CallContext {
  /** In the log line, and in the trailers of a call that failed. */
  readonly id: string;
  /** Aborted when the client leaves, the deadline passes, or a drain's grace is over; its reason is a `DomainError`. */
  readonly signal: AbortSignal;
  /** Aborted when the server drains: finish what was begun, take nothing new. */
  readonly draining: AbortSignal;
  /** On the clock of `performance.now()`; undefined without a deadline. */
  readonly deadlineAtMs: number | undefined;
  /** Adds fields to the log line of the call. */
  note(fields: Readonly<Record<string, unknown>>): void;
}

export interface CallsOptions {
  /** Calls open at once; the next is refused with `overloaded`. */
  readonly maxCalls: number;
}

export interface CallsCollaborators {
  readonly budget: LoopBudget;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** An admitted call, as the adapter holds it. */
export interface OpenCall {
  readonly context: CallContext;
  /** The transport says that the call is over. Harmless after `finish`. */
  leave(reason: DomainError): void;
  /** Exactly once, when its handler is done; null means OK. */
  finish(error: DomainError | null): void;
}

/** A call that was not admitted: counted and logged, and not to be finished. */
export interface RefusedCall {
  /** In its log line. */
  readonly id: string;
  /** `draining` or `overloaded`. */
  readonly refusal: DomainError;
}

/** Every call that is open: the one place that admits, counts, logs, drains and cuts them. */
export interface Calls {
  /** Admits a call, or refuses it. */
  open(method: string, deadline: Date | number): OpenCall | RefusedCall;
  readonly size: number;
  /** Refuses calls from now on and tells the open ones. Idempotent. */
  drain(): void;
  /** Aborts what is open. */
  cut(): void;
  /** Resolves when no call is open. */
  idle(): Promise<void>;
}

export function createCalls(
  options: CallsOptions,
  { budget, log, metrics }: CallsCollaborators,
): Calls {
  const open = new Set<{ abort: AbortController; draining: AbortController }>();
  let isDraining = false;
  let onIdle: (() => void)[] = [];

  const record = (
    method: string,
    id: string,
    startedAtMs: number,
    error: DomainError | null,
    noted: object,
  ) => {
    const code = status[error === null ? status.OK : statusOf[error.code]];
    const ms = performance.now() - startedAtMs;
    metrics.rpcHandled(method, code, ms / 1000);
    const fields = { id, method, code, ms: Math.round(ms * 1000) / 1000, ...noted };
    if (error === null) log.info(fields, 'call');
    else if (error.code === 'internal' || error.code === 'storage_failed') {
      log.error({ ...fields, error: error.cause ?? error }, 'call failed');
    } else log.info({ ...fields, reason: error.message }, 'call');
  };

  return {
    open(method, deadline) {
      const id = randomUUID();
      const startedAtMs = performance.now();
      metrics.rpcStarted(method);
      if (isDraining || open.size >= options.maxCalls) {
        const refusal = isDraining
          ? new DomainError('draining', 'the server is shutting down: try another')
          : new DomainError('overloaded', `expected at most ${options.maxCalls} open calls`);
        record(method, id, startedAtMs, refusal, {});
        return { id, refusal };
      }
      const call = { abort: new AbortController(), draining: new AbortController() };
      // Every frame in flight listens to the signal of its stream.
      setMaxListeners(0, call.abort.signal);
      open.add(call);
      const untilMs = Number(deadline) - Date.now(); // a Date, a number or Infinity
      const noted: Record<string, unknown> = {};
      return {
        context: {
          id,
          signal: call.abort.signal,
          draining: call.draining.signal,
          deadlineAtMs: Number.isFinite(untilMs) ? startedAtMs + untilMs : undefined,
          note: (fields) => Object.assign(noted, fields),
        },
        // A client may leave with thousands of streams at once.
        leave: (reason) => budget.run(() => call.abort.abort(reason)),
        finish(error) {
          if (!open.delete(call)) return;
          record(method, id, startedAtMs, error, noted);
          if (open.size > 0) return;
          for (const resolve of onIdle.splice(0)) resolve();
        },
      };
    },
    get size() {
      return open.size;
    },
    drain() {
      if (isDraining) return;
      isDraining = true;
      for (const call of [...open]) call.draining.abort();
    },
    cut() {
      const reason = new DomainError('draining', 'the server is shutting down: try another');
      for (const call of [...open]) call.abort.abort(reason);
    },
    idle() {
      if (open.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        onIdle = [...onIdle, resolve];
      });
    },
  };
}
