import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { DomainError } from '../errors.js';
import type { Log } from '../telemetry/index.js';
import { assertRows } from './check-input.js';
import { devices } from './devices.js';
import type {
  Engine,
  GraphSession,
  GraphSpec,
  Precision,
  ResizePlace,
  RunResult,
  Session,
  SessionSpec,
} from './engine.js';
import { openGraphSession } from './graph-session.js';
import { createWorkerLink, type WorkerLink } from './worker-link.js';

/** How a worker is watched. */
export interface WatchOptions {
  /** Longest run before the worker counts as hung and is replaced. @default 30 000 ms */
  readonly runTimeoutMs: number;
  /**
   * What a run is given at least; between the two it is 50 times what its batch size took at
   * best. @default 5000 ms
   */
  readonly leastRunTimeoutMs: number;
  /**
   * The same for starting the worker, for loading a model, and where a device is slow at
   * first for the first run of a model in each batch size. @default 120 000 ms
   */
  readonly loadTimeoutMs: number;
  /** Wait before the first restart; doubled for each that fails, up to 30 s. @default 100 ms */
  readonly restartDelayMs: number;
}

export interface WatchedEngineCollaborators {
  /** The runtime behind it, and so the engine's name. */
  readonly name: string;
  /** "cuda", where there are several devices that it may not start on. @default none */
  readonly device?: string;
  /** What its models should run in. @default 'full' */
  readonly precision?: Precision;
  /** Where raw planes should come to a model's size. @default 'host' */
  readonly resize?: ResizePlace;
  /** What models are run in where no setting says. @default the sizes of a CPU */
  readonly batchSizes?: readonly number[];
  /** Whether the first run of a shape may take as long as a load. @default false */
  readonly isSlowAtFirst?: boolean;
  /** Whether its worker runs graphs of any kind. @default false */
  readonly runsGraphs?: boolean;
  readonly log: Log;
  /** Starts a thread that answers as `serveWorker` does, and shares this memory with it. */
  readonly startWorker: (gate: Int32Array<SharedArrayBuffer>) => Worker;
}

const maxRestartDelayMs = 30_000;

interface Loaded {
  readonly id: number;
  readonly spec: SessionSpec;
  /** Why it could not be loaded again; null while it is well. */
  failure: DomainError | null;
}

/**
 * A runtime in one worker thread.
 *
 * Behaviour: all sessions share the thread, so one batch runs at a time. When the worker
 * ends or hangs, what it was asked is rejected with `not_ready`; a new one is started
 * after a pause that doubles with each failure, and loads every session again from the
 * bytes kept here. Runs asked meanwhile wait for that one attempt.
 *
 * Throws `unsupported` when the runtime does not start at all.
 */
export async function createWatchedEngine(
  {
    runTimeoutMs = 30_000,
    leastRunTimeoutMs = 5000,
    loadTimeoutMs = 120_000,
    restartDelayMs = 100,
  }: Partial<WatchOptions>,
  {
    name,
    device: place,
    precision: wanted = 'full',
    resize = 'host',
    batchSizes = devices.cpu.batchSizes,
    isSlowAtFirst = false,
    runsGraphs = false,
    log,
    startWorker,
  }: WatchedEngineCollaborators,
): Promise<Engine> {
  const sessions = new Map<number, Loaded>();
  let nextSessionId = 1;
  let failedStarts = 0;
  const closing = new AbortController();
  let isClosed = false;
  let isReady = true;

  /** The newest, also while its sessions are loaded again. */
  let latest: WorkerLink | null = null;

  const startLink = () => {
    const gate = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
    const started = { worker: startWorker(gate), gate };
    latest = createWorkerLink(started, {
      firstRunTimeoutMs: isSlowAtFirst ? Math.max(runTimeoutMs, loadTimeoutMs) : runTimeoutMs,
      ...{ runTimeoutMs, leastRunTimeoutMs, loadTimeoutMs },
    });
    return latest;
  };

  /** Replaces the worker when it ends. */
  const keep = (link: WorkerLink): WorkerLink => {
    void link.ended.then((reason) => {
      if (isClosed) return;
      log.error({ reason }, 'the engine worker ended');
      isReady = false;
      current = restart();
      // Whoever waits hears of it; without anyone it must not be an unhandled rejection.
      current.catch(() => {});
    });
    return link;
  };

  /** One attempt: a new worker with every session; a failure leads to the next attempt. */
  const restart = async (): Promise<WorkerLink> => {
    const delayMs = Math.min(maxRestartDelayMs, restartDelayMs * 2 ** failedStarts);
    failedStarts += 1;
    await pause(delayMs, undefined, { signal: closing.signal }).catch(() => {});
    if (isClosed) throw closed();
    const link = keep(startLink());
    for (const loaded of sessions.values()) {
      const { id: sessionId, spec } = loaded;
      try {
        await link.ask({ kind: 'load', sessionId, spec });
        loaded.failure = null;
      } catch (thrown) {
        const error = DomainError.from(thrown);
        if (error.code === 'not_ready') throw error; // it ended again
        loaded.failure = error;
        log.error({ error }, 'a model could not be loaded again');
      }
    }
    isReady = true;
    log.info({ sessions: sessions.size }, 'the engine worker is back');
    return link;
  };
  const first = startLink();
  const hello = await first.ask({ kind: 'hello' }).catch(async (thrown: unknown) => {
    const { code, message } = DomainError.from(thrown);
    first.abandon('it did not start');
    const reason = code === 'model_failed' ? message : await first.ended;
    const where = place === undefined ? '' : ` on ${place}`;
    throw new DomainError('unsupported', `${name} did not start${where}: ${reason}`);
  });
  if (hello.kind === 'done' && hello.note) log.info({ engine: name }, hello.note);
  let current: Promise<WorkerLink> = Promise.resolve(keep(first));

  const run = async (loaded: Loaded, input: Uint8Array, batchSize: number): Promise<RunResult> => {
    if (isClosed || !sessions.has(loaded.id)) throw closed();
    assertRows(input, batchSize, loaded.spec);
    const { buffer } = input;
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== input.byteLength) {
      throw invariant('an input is not over its own whole ArrayBuffer');
    }
    const link = await current;
    if (loaded.failure) throw loaded.failure;
    const reply = await link.ask({ kind: 'run', sessionId: loaded.id, input, batchSize }, [buffer]);
    if (reply.kind !== 'ran') throw invariant(`a run was answered with ${reply.kind}`);
    failedStarts = 0;
    return reply;
  };

  const loadGraph = async (graph: GraphSpec): Promise<GraphSession> => {
    const sessionId = nextSessionId;
    nextSessionId += 1;
    return openGraphSession(
      { graph, sessionId },
      async () => {
        if (isClosed) throw closed();
        return current;
      },
      (note) => log.warn({ device: place }, `a graph of explanations: ${note}`),
    );
  };

  return {
    name,
    precision: wanted,
    resize,
    batchSizes,
    ...(runsGraphs ? { loadGraph } : {}),
    async load(spec): Promise<Session> {
      if (isClosed) throw closed();
      const link = await current;
      const loaded: Loaded = { id: nextSessionId, spec, failure: null };
      nextSessionId += 1;
      const reply = await link.ask({ kind: 'load', sessionId: loaded.id, spec });
      if (reply.kind !== 'loaded') throw invariant(`a load was answered with ${reply.kind}`);
      const { device, precision, warning } = reply;
      if (warning) log.warn({ device, model: spec.name }, warning);
      sessions.set(loaded.id, loaded);
      return {
        device,
        precision,
        lanes: 1,
        copies: 1,
        get isReady() {
          return isReady;
        },
        run: (input, batchSize) => run(loaded, input, batchSize),
        async close() {
          if (!sessions.delete(loaded.id) || isClosed) return;
          // A worker that ended has nothing left to unload.
          await current
            .then((link) => link.ask({ kind: 'unload', sessionId: loaded.id }))
            .catch(() => {});
        },
      };
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      closing.abort();
      const link = await current.catch(() => null);
      await link?.ask({ kind: 'close' }).catch(() => {});
      await link?.ended;
      sessions.clear();
    },
    abandon() {
      isClosed = true;
      closing.abort();
      return latest?.abandon('it was abandoned') ?? 0;
    },
  };
}

function closed(): DomainError {
  return new DomainError('not_ready', 'the engine is closed');
}

function invariant(message: string): DomainError {
  return new DomainError('internal', 'internal error', { cause: new Error(`bug: ${message}`) });
}
