import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { DeviceName } from '../engines/index.js';
import { DomainError } from '../errors.js';
import { writeDurably } from '../files/index.js';
import type { Log } from '../log.js';
import { findParent, type Parent } from './parent.js';
import type { Outcome, ProcessEvent, ProcessOptions } from './process/messages.js';
import { type Promote, promoteIn, publishRun, type VersionStore } from './publish-run.js';
import type { OpenRunSpec, Run, RunEvent, RunEventBody } from './run.js';
import { type RunRecord, runFiles } from './run-folder.js';
import { createRunStore } from './run-store.js';
import { startTrainerProcess, type TrainerProcess } from './trainer-process.js';

export interface TrainerOptions {
  /** Folder of the runs, made when the first one starts. */
  readonly runsDir: string;
  /**
   * Where runs of ONNX Runtime train and validate: on the first that starts; what it lacks runs
   * on the CPU. Runs tell which it was. @default the CPU
   */
  readonly devices?: readonly DeviceName[];
  /** Package or folder of TensorFlow, for runs of that engine. @default those of npm, as they are there */
  readonly tensorflowPackage?: string | null;
  /** Training steps between which weights stay on the device. @default 0, as many as suit it */
  readonly stepsPerCall?: number;
  /** Threads of the runtime in the trainer process. @default 0, which is one a core */
  readonly threads?: number;
  /**
   * Part of the time that a run's steps take while frames are being served, above 0 and up
   * to 1, which never rests. @default 1
   */
  readonly share?: number;
  /** How old a run's checkpoint gets while an epoch goes on. @default 30 000 */
  readonly checkpointEveryMs?: number;
  /**
   * Bytes of prepared frames that are kept from run to run, in `.frames` of `framesOf`; 0 keeps
   * none. @default 8 GiB
   */
  readonly frameCacheBytes?: number;
  /** Folder of runs whose prepared frames are used. @default `runsDir` */
  readonly framesOf?: string;
  /** How long `close` waits for a run to stop before it is ended. @default 10 000 */
  readonly graceMs?: number;
}

/** Whether frames are being served, and when that changes. */
export interface Serving {
  readonly isServing: boolean;
  /** Returns what ends the listening. */
  onChange(listener: (isServing: boolean) => void): () => void;
}

export interface TrainerCollaborators {
  readonly store: VersionStore;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Starts the process of a run. @default one of the operating system's */
  readonly startProcess?: typeof startTrainerProcess;
  /** Whether frames are being served in this process. @default never */
  readonly serving?: Serving;
  /** Makes a version live, such as a Registry's `promote`. @default by the aliases alone */
  readonly promote?: Promote;
}

/**
 * Runs trainings, one at a time, each in a process of its own at the lowest priority.
 *
 * Behaviour: a run goes on whoever watches it. Its events are numbered and on disk
 * before a watcher sees them, so that every run, also one of an earlier process, can be
 * read and watched from any event. A run whose process died is `failed`, and may be
 * resumed from its last checkpoint: it then comes to what it would have come to.
 *
 * Not for: two trainings at once on one machine; the second is refused as `overloaded`.
 */
export interface Trainer {
  /**
   * Starts a run of a spec that `parseRunSpec` gave; resolves once it is on disk and its
   * process was started. What is wrong with the dataset ends the run as `failed`.
   *
   * Throws `model_unknown`, `model_failed` and `option_invalid` for a parent, an input or frozen
   * layers that do not fit, `option_invalid` for an engine that would leave the devices alone,
   * `overloaded` while another runs, `run_exists`, `option_invalid` for an id that
   * cannot be a folder's name, `storage_failed`, `draining` after `close`.
   */
  start(spec: OpenRunSpec, runId?: string): Promise<Run>;
  /**
   * Takes up a run that failed or was stopped, of whatever process, where its checkpoint
   * was written; resolves with the number of its first new event once its process was
   * started. What it publishes then is a version of its own.
   *
   * Throws `run_unknown`, `run_state`, `option_invalid` as `start`, `overloaded`, `storage_failed`, `draining`.
   */
  resume(runId: string): Promise<{ readonly run: Run; readonly fromNumber: number }>;
  /**
   * The events of a run from a number on, then those to come, up to `ended`.
   * Throws `run_unknown`, and `cancelled` or `deadline` by the signal's reason.
   */
  watch(runId: string, fromNumber: number, signal: AbortSignal): AsyncIterable<RunEvent>;
  /**
   * Asks a run to stop after the step it is in; its best weights are then published.
   * Throws `run_unknown`, and `run_state` when it has ended.
   */
  stop(runId: string): Promise<Run>;
  /** Throws `run_unknown`. */
  get(runId: string): Promise<Run>;
  /** Newest first. */
  list(): Promise<readonly Run[]>;
  /**
   * Stops the run that goes on, ends it after `graceMs`, and resolves once it is settled.
   * @default the `graceMs` of the options
   */
  close(graceMs?: number): Promise<void>;
}

interface ActiveRun {
  readonly runId: string;
  process: TrainerProcess | null;
  /** Whether `close` could not wait for it. */
  isCut: boolean;
  /** When nothing of the run goes on any more; never rejects. */
  readonly settled: Promise<void>;
}

type ProcessStart = ProcessEvent & { readonly kind: 'started' };

/** A run whose folder is there and whose process is yet to be started. */
interface OpenedRun {
  readonly spec: RunRecord['spec'];
  readonly folder: string;
  readonly parent: Parent | null;
  readonly resumed: ProcessOptions['resumed'];
}

export function createTrainer(
  options: TrainerOptions,
  collaborators: TrainerCollaborators,
): Trainer {
  const {
    runsDir,
    devices = ['cpu'],
    tensorflowPackage = null,
    stepsPerCall = 0,
    threads = 0,
    share = 1,
    checkpointEveryMs = 30_000,
    frameCacheBytes = 8 * 1024 ** 3,
    framesOf = runsDir,
    graceMs = 10_000,
  } = options;
  const { store, log, serving, startProcess = startTrainerProcess } = collaborators;
  const promote = collaborators.promote ?? promoteIn(store);
  const runs = createRunStore(runsDir);
  const frameCache = { folder: join(framesOf, '.frames'), maxBytes: frameCacheBytes };
  /** The run that holds the device. */
  let active: ActiveRun | null = null;
  /** The run that was started last; it may still be telling its end. */
  let newest: ActiveRun | null = null;
  let isClosed = false;

  /** Gives the device back. */
  function release(run: ActiveRun): void {
    if (active === run) active = null;
  }

  async function start(asked: OpenRunSpec, runId = newRunId()): Promise<Run> {
    await begin(runId, async () => {
      assertDeviceFits(asked);
      const { spec, parent } = await findParent(asked, store);
      if (parent && !parent.givesHead) {
        log.warn({ run: runId, parent: spec.parent }, 'other labels: the last layer is drawn anew');
      }
      const { path } = await runs.create(runId, { spec });
      return { spec, folder: path, parent, resumed: null };
    });
    log.info({ run: runId, model: asked.model }, 'a run was started');
    return runs.get(runId);
  }

  async function resume(runId: string): ReturnType<Trainer['resume']> {
    const { fromNumber } = await begin(runId, async () => {
      assertDeviceFits((await runs.get(runId)).spec);
      const { path, record, resumed } = await runs.resume(runId);
      const epochsTold = (await runs.get(runId)).history.length;
      return {
        spec: record.spec,
        folder: path,
        parent: null,
        resumed: { epochsTold },
        fromNumber: resumed.number,
      };
    });
    log.info({ run: runId }, 'a run was resumed');
    return { run: await runs.get(runId), fromNumber };
  }

  /** Takes the device for what `open` opens, or throws what it throws. */
  async function begin<Opened extends OpenedRun>(
    runId: string,
    open: () => Promise<Opened>,
  ): Promise<Opened> {
    if (isClosed) throw new DomainError('draining', 'no run is started any more');
    if (active !== null) {
      throw new DomainError('overloaded', `the run "${active.runId}" holds the device`);
    }
    // Taken before the first wait, so that two calls cannot both find it free.
    const opened = open();
    const run: ActiveRun = {
      runId,
      process: null,
      isCut: false,
      settled: opened
        .then((it) => conduct(run, it))
        .catch(() => {})
        .finally(() => release(run)),
    };
    active = run;
    newest = run;
    return opened;
  }

  /** From the start of the process to the last event. Never rejects. */
  async function conduct(
    run: ActiveRun,
    { spec, folder, parent, resumed }: OpenedRun,
  ): Promise<void> {
    const { runId } = run;
    let written: Promise<unknown> = Promise.resolve();
    let end: Extract<RunEventBody, { kind: 'ended' }>;
    let forgetServing = () => {};
    try {
      if (parent) await keepParent(folder, parent);
      const process = await startProcess(
        {
          ...{ folder, devices, stepsPerCall, tensorflowPackage, threads, share },
          ...{ checkpointEveryMs, frameCache, resumed },
          parent: parent && { temperature: parent.temperature, givesHead: parent.givesHead },
        },
        {
          onEvent: (event) => {
            if (event.kind === 'started') {
              tellDevice(runId, event);
              tellSplit(runId, event);
            }
            written = Promise.all([written, runs.append(runId, event)]);
            written.catch(() => process.kill());
          },
        },
      );
      run.process = process;
      process.setServing(serving?.isServing ?? false);
      forgetServing = serving?.onChange(process.setServing) ?? forgetServing;
      const outcome = await process.outcome;
      await written;
      const refusal = await publish(outcome);
      // Kept until now: what stopped the publishing may pass.
      if (outcome.state === 'finished') await rm(join(folder, runFiles.last), { force: true });
      const reason = run.isCut ? 'the server shut down before the run had stopped' : outcome.reason;
      end = {
        ...{ kind: 'ended', state: outcome.state },
        reason: refusal === null ? reason : `${reason}; ${refusal}`,
      };
    } catch (thrown) {
      const error = DomainError.from(thrown);
      log.error({ run: runId, error: thrown }, 'a run could not be carried through');
      end = { kind: 'ended', state: 'failed', reason: error.message };
    }
    forgetServing();
    // Before the end is told: who hears of it may start the next run.
    release(run);
    await runs.append(runId, end).catch((error: unknown) => {
      log.error({ run: runId, error }, 'the end of a run could not be written');
    });
    log.info({ run: runId, state: end.state, reason: end.reason }, 'a run has ended');

    /** Returns why a gate kept the version from being promoted; null where none did. */
    async function publish({ exported }: Outcome): Promise<string | null> {
      if (exported === null) return null;
      const { version, refusal } = await publishRun(
        { runId, folder, spec, exported, history: (await runs.get(runId)).history },
        { store, promote },
      );
      await runs.append(runId, { kind: 'published', model: spec.model, version });
      return refusal;
    }
  }

  function tellDevice(run: string, { device, deviceNote: note }: ProcessStart): void {
    if (note === '') log.info({ run, device }, 'a run trains');
    else log.warn({ run, device, note }, 'a run trains');
  }

  /** What the parent has seen is nothing that a version is judged by in silence. */
  function tellSplit(run: string, { spec, movedFrames, isParentUnknown }: ProcessStart): void {
    const { parent } = spec;
    if (movedFrames > 0)
      log.info({ run, parent, movedFrames }, 'frames that the parent has seen do not count as new');
    if (isParentUnknown) log.warn({ run, parent }, 'unknown which frames trained the parent');
  }

  /** A device that was named is not left for another in silence. */
  function assertDeviceFits({ engine }: Pick<OpenRunSpec, 'engine'>): void {
    if (engine !== 'tensorflow' || devices.includes('cpu')) return;
    throw new DomainError(
      'option_invalid',
      `engine: tensorflow trains where its own package computes, expected the training device cpu or auto, got ${devices.join(', ')}`,
    );
  }

  async function stop(runId: string): Promise<Run> {
    await runs.requestStop(runId);
    return runs.get(runId);
  }

  async function close(withinMs = graceMs): Promise<void> {
    isClosed = true;
    const run = newest;
    if (run === null) return runs.close();
    await runs.requestStop(run.runId).catch(() => {});
    const grace = new AbortController();
    const late = setTimeout(withinMs, 'late' as const, { signal: grace.signal }).catch(() => null);
    if ((await Promise.race([run.settled, late])) === 'late') {
      log.warn({ run: run.runId }, 'a run did not stop in time and is ended');
      run.isCut = true;
      run.process?.kill();
    }
    grace.abort();
    await run.settled;
    await runs.close();
  }

  return {
    start,
    resume,
    stop,
    close,
    get: (runId) => runs.get(runId),
    list: () => runs.list(),
    watch: (runId, fromNumber, signal) => runs.watch(runId, fromNumber, signal),
  };
}

/** Beside the run, for its process and every later one that takes it up. */
async function keepParent(folder: string, { model, frames }: Parent): Promise<void> {
  await writeDurably(join(folder, runFiles.parent), [model]);
  if (frames) await writeDurably(join(folder, runFiles.parentFrames), [frames]);
}

/** Sorts by time: "20261123-091730-5f3a9c". */
function newRunId(): string {
  const [day = '', time = ''] = new Date().toISOString().slice(0, 19).split('T');
  return `${day.replaceAll('-', '')}-${time.replaceAll(':', '')}-${randomBytes(3).toString('hex')}`;
}
