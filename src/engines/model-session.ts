import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '../errors.js';
import type { Log } from '../log.js';
import { backOffMs } from './back-off.js';
import { assertRows } from './check-input.js';
import type { Precision, ReloadCheck, RunResult, Session, SessionSpec } from './engine.js';
import type { WorkerLink } from './worker-link.js';

/** A Session that goes from one worker to the next. */
export interface ModelSession extends Session {
  /**
   * Is not ready until it is loaded in another worker, which is asked once `turn` resolves.
   * Resolves with that worker when it was loaded or refused there; throws what `turn` does, and
   * `not_ready` when the worker ended.
   */
  moveTo(turn: Promise<WorkerLink>): Promise<WorkerLink>;
}

export interface ModelSessionOptions {
  readonly spec: SessionSpec;
  readonly sessionId: number;
  /** Wait before a load that was refused is tried again; see `backOffMs`. */
  readonly retryDelayMs: number;
  /** Aborts when its engine closes. */
  readonly signal: AbortSignal;
}

export interface ModelSessionCollaborators {
  readonly log: Log;
  readonly onRan: () => void;
  readonly onClosed: () => void;
}

/**
 * A model in the worker behind `first`, and from its bytes in those that come after it.
 *
 * Behaviour: in a later worker it is ready once it is loaded and its check passed. Where either
 * fails it is unloaded and tried again, in the same worker, until it succeeds. Runs asked
 * meanwhile wait for the attempt that is next and get `not_ready` if that fails.
 *
 * Throws `model_failed` when the first worker refuses it.
 */
export async function openModelSession(
  { spec, sessionId, retryDelayMs, signal }: ModelSessionOptions,
  first: WorkerLink,
  { log, onRan, onClosed }: ModelSessionCollaborators,
): Promise<ModelSession> {
  const { name: model, version } = spec;

  const load = async (worker: WorkerLink): Promise<Placed> => {
    const reply = await worker.ask({ kind: 'load', sessionId, spec });
    if (reply.kind !== 'loaded') throw invariant(`a load was answered with ${reply.kind}`);
    const { device, precision, warning } = reply;
    if (warning) log.warn({ device, model }, warning);
    return { device, precision };
  };
  const runIn = async (
    worker: WorkerLink,
    input: Uint8Array,
    batchSize: number,
  ): Promise<RunResult> => {
    const { buffer } = input;
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== input.byteLength) {
      throw invariant('an input is not over its own whole ArrayBuffer');
    }
    const reply = await worker.ask({ kind: 'run', sessionId, input, batchSize }, [buffer]);
    if (reply.kind !== 'ran') throw invariant(`a run was answered with ${reply.kind}`);
    return reply;
  };

  let placed = await load(first);
  /** The worker that it is loaded in, or is to be; null until its turn comes in the next. */
  let worker: WorkerLink | null = first;
  /** Resolves with a worker once the attempt that is next there is over. */
  let attempted = Promise.resolve(first);
  /** Why the last attempt failed; null while it did not. */
  let refusal: DomainError | null = null;
  let check: ReloadCheck | null = null;
  let isReady = true;
  let isClosed = false;

  const assertOpen = () => {
    if (isClosed || signal.aborted) throw new DomainError('not_ready', 'the engine is closed');
  };
  /** One attempt in a worker; what is refused there leads to the next. */
  const attempt = async (at: WorkerLink, failures: number): Promise<WorkerLink> => {
    const isWanted = () => at === worker && !isClosed && !signal.aborted;
    if (!isWanted()) return at;
    try {
      placed = await load(at);
      await check?.((input, batchSize) => runIn(at, input, batchSize));
      refusal = null;
      isReady = isWanted();
      if (failures > 0) log.info({ model, version, ...placed }, 'a model is loaded again');
    } catch (thrown) {
      const error = DomainError.from(thrown);
      if (error.code === 'not_ready') throw error; // the worker ended
      // One that is there and failed its check would keep its memory.
      const unloaded = await at.ask({ kind: 'unload', sessionId }).catch(DomainError.from);
      if (unloaded instanceof DomainError && unloaded.code === 'not_ready') throw unloaded;
      if (isWanted()) retry(at, failures, error);
    }
    return at;
  };
  const retry = (at: WorkerLink, failures: number, error: DomainError) => {
    const delayMs = backOffMs(retryDelayMs, failures);
    log.error({ error, model, version, delayMs }, 'a model could not be loaded again');
    refusal = new DomainError('not_ready', 'the model cannot be loaded again yet; try again', {
      cause: error,
    });
    const next = pause(delayMs, undefined, { signal, ref: false }).catch(() => {});
    attempted = next.then(() => attempt(at, failures + 1));
    // Whoever waits hears of it; without anyone it must not be an unhandled rejection.
    attempted.catch(() => {});
  };

  return {
    get device() {
      return placed.device;
    },
    get precision() {
      return placed.precision;
    },
    lanes: 1,
    copies: 1,
    get isReady() {
      return isReady;
    },
    onReload(given) {
      check = given;
    },
    async run(input, batchSize) {
      assertOpen();
      assertRows(input, batchSize, spec);
      const at = await attempted;
      assertOpen();
      if (refusal) throw refusal;
      const ran = await runIn(at, input, batchSize);
      onRan();
      return ran;
    },
    moveTo(turn) {
      isReady = false;
      worker = null;
      attempted = turn.then((next) => {
        worker = next;
        return attempt(next, 0);
      });
      attempted.catch(() => {});
      return attempted;
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      isReady = false;
      onClosed();
      // A worker that ended has nothing left to unload; one that closes does it by itself.
      if (!signal.aborted) await worker?.ask({ kind: 'unload', sessionId }).catch(() => {});
    },
  };
}

interface Placed {
  readonly device: string;
  readonly precision: Precision;
}

function invariant(message: string): DomainError {
  return new DomainError('internal', 'internal error', { cause: new Error(`bug: ${message}`) });
}
