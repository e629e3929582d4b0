import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { DomainError } from '../errors.js';
import type { Log } from '../log.js';
import { backOffMs } from './back-off.js';
import { devices } from './devices.js';
import type { Engine, GraphSession, GraphSpec, Precision, ResizePlace, Session } from './engine.js';
import { openGraphSession } from './graph-session.js';
import { type ModelSession, openModelSession } from './model-session.js';
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
  /**
   * Wait before the first restart, and before a model that was refused after one is loaded once
   * more; doubled for each that fails, up to 30 s. @default 100 ms
   */
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

/**
 * A runtime in one worker thread.
 *
 * Behaviour: all sessions share the thread, so one batch runs at a time. When the worker
 * ends or hangs, what it was asked is rejected with `not_ready`; a new one is started
 * after a pause that doubles with each failure, and loads every session again, one after the
 * other. Runs asked meanwhile wait for that one attempt.
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
  const sessions = new Set<ModelSession>();
  let nextSessionId = 1;
  let failedStarts = 0;
  const closing = new AbortController();
  let isClosed = false;
  /** While a new worker has not had every session yet: runs in it say little of how well it is. */
  let isRestarting = false;

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
      isRestarting = true;
      current = bringBack(restart());
      // Whoever waits hears of it; without anyone it must not be an unhandled rejection.
      current.catch(() => {});
    });
    return link;
  };

  /** One attempt: a new worker; a failure leads to the next. */
  const restart = async (): Promise<WorkerLink> => {
    const delayMs = backOffMs(restartDelayMs, failedStarts);
    failedStarts += 1;
    await pause(delayMs, undefined, { signal: closing.signal }).catch(() => {});
    if (isClosed) throw closed();
    return keep(startLink());
  };
  /** Loads every session in a new worker; resolves once each was loaded or refused. */
  const bringBack = (started: Promise<WorkerLink>): Promise<WorkerLink> => {
    let turn = started;
    for (const session of sessions) turn = session.moveTo(turn);
    return turn.then((link) => {
      isRestarting = false;
      log.info({ sessions: sessions.size }, 'the engine worker is back');
      return link;
    });
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
      const sessionId = nextSessionId;
      nextSessionId += 1;
      const session = await openModelSession(
        { spec, sessionId, retryDelayMs: restartDelayMs, signal: closing.signal },
        link,
        {
          log,
          onRan: () => {
            if (!isRestarting) failedStarts = 0;
          },
          onClosed: () => sessions.delete(session),
        },
      );
      sessions.add(session);
      return session;
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
