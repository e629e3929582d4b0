import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { DomainError } from '../errors.js';
import type { Log } from '../telemetry/index.js';
import { silentLog } from '../telemetry/index.js';
import { assertRows } from './check-input.js';
import { type DeviceName, devices } from './devices.js';
import type { Engine, RunResult, Session, SessionSpec } from './engine.js';
import { createWorkerLink, type WorkerLink } from './worker-link.js';
import type { RuntimeSettings } from './worker-messages.js';

/** How the engine runs models and watches its worker. */
export interface OnnxEngineOptions {
  /** Where the models run. @default 'cpu' */
  readonly device: DeviceName;
  /** Threads within one operator; 0 is one a core. @default 0 */
  readonly threads: number;
  /**
   * Whether idle threads of the runtime spin for work. @default false: with it a paced run
   * of the card's network cost 28 ms of CPU instead of 9, and on cores that others used too
   * (decoding, training) it took longer, 11 to 30 ms instead of 7
   */
  readonly spinning: boolean;
  /**
   * How far runs step back for the threads that receive and answer frames, 0 to 19; on Linux
   * only. @default 5: beside eight streams at 200 frames/s on two cores p99 fell from 33 to 28 ms
   */
  readonly niceness: number;
  /** Longest run before the worker counts as hung and is replaced. @default 30 000 ms */
  readonly runTimeoutMs: number;
  /** The same for starting the worker and for loading a model. @default 120 000 ms */
  readonly loadTimeoutMs: number;
  /** Wait before the first restart; doubled for each that fails, up to 30 s. @default 100 ms */
  readonly restartDelayMs: number;
}

export interface OnnxEngineCollaborators {
  readonly log?: Log;
  /** Starts a thread with these settings. @default the worker beside this file */
  readonly startWorker?: (settings: RuntimeSettings) => Worker;
}

const maxRestartDelayMs = 30_000;

interface Loaded {
  readonly id: number;
  readonly spec: SessionSpec;
  /** Why it could not be loaded again; null while it is well. */
  failure: DomainError | null;
}

/**
 * ONNX Runtime on one device, in one worker thread.
 *
 * Behaviour: all sessions share the thread, so one batch runs at a time. When the worker
 * ends or hangs, what it was asked is rejected with `not_ready`; a new one is started
 * after a pause that doubles with each failure, and loads every session again from the
 * bytes kept here. Runs asked meanwhile wait for that one attempt.
 * Use: alone, or several in an EnginePool. Not for: training, which has a process of its own.
 *
 * Throws `unsupported` when the runtime does not start at all, or not on this device.
 */
export async function createOnnxEngine(
  options: Partial<OnnxEngineOptions> = {},
  { log = silentLog, startWorker = startOnnxWorker }: OnnxEngineCollaborators = {},
): Promise<Engine> {
  const {
    device = 'cpu',
    threads = 0,
    spinning = false,
    niceness = 5,
    restartDelayMs = 100,
  } = options;
  const { runTimeoutMs = 30_000, loadTimeoutMs = 120_000 } = options;
  const sessions = new Map<number, Loaded>();
  let nextSessionId = 1;
  let failedStarts = 0;
  const closing = new AbortController();
  let isClosed = false;
  let isReady = true;

  const startLink = () => {
    const gate = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
    const worker = startWorker({ device, threads, spinning, niceness, gate });
    return createWorkerLink({ worker, gate }, { runTimeoutMs, loadTimeoutMs });
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
  // Only here: of a worker it would be a copy, which native libraries do not see.
  for (const [name, value] of Object.entries(devices[device].environment)) {
    process.env[name] ??= value;
  }
  const first = startLink();
  await first.ask({ kind: 'hello' }).catch(async (thrown: unknown) => {
    const { code, message } = DomainError.from(thrown);
    first.abandon('it did not start');
    const reason = code === 'model_failed' ? message : await first.ended;
    throw new DomainError('unsupported', `onnxruntime did not start on ${device}: ${reason}`);
  });
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

  return {
    name: 'onnxruntime',
    async load(spec): Promise<Session> {
      if (isClosed) throw closed();
      const link = await current;
      const loaded: Loaded = { id: nextSessionId, spec, failure: null };
      nextSessionId += 1;
      const reply = await link.ask({ kind: 'load', sessionId: loaded.id, spec });
      if (reply.kind !== 'loaded') throw invariant(`a load was answered with ${reply.kind}`);
      if (!reply.isWhole) {
        log.warn({ device, model: spec.name }, 'parts of the model run on the CPU');
      }
      sessions.set(loaded.id, loaded);
      return {
        device: `onnxruntime/${device}${reply.isWhole ? '' : '+cpu'}`,
        lanes: 1,
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
  };
}

/** Starts the thread that ONNX Runtime runs on. */
export function startOnnxWorker(settings: RuntimeSettings): Worker {
  return new Worker(new URL('./onnxruntime-worker.js', import.meta.url), {
    name: 'engine',
    workerData: settings,
    // Of the process's own, some (`--input-type`) forbid a thread with a file.
    execArgv: [],
  });
}

function closed(): DomainError {
  return new DomainError('not_ready', 'the engine is closed');
}

function invariant(message: string): DomainError {
  return new DomainError('internal', 'internal error', { cause: new Error(`bug: ${message}`) });
}
