import { existsSync } from 'node:fs';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '../errors.js';
import { storageFailed } from '../files/index.js';
import { claimRun } from './claim-run.js';
import { createEventLog, type EventLog, readEvents, reopenEventLog } from './event-log.js';
import { foldRun } from './fold-run.js';
import type { Run, RunEvent, RunEventBody } from './run.js';
import {
  changeOwner,
  createRunFolder,
  type RunRecord,
  readRunFolder,
  runFiles,
  stopFile,
} from './run-folder.js';
import { isAlive, thisOwner } from './run-owner.js';
import { isRunId } from './run-spec.js';

export { readRunFolder, stopFile } from './run-folder.js';

/** How often the events of another process are looked at. */
const followEveryMs = 200;

/** Why a Run ended whose process did not live to say so. */
export const orphanReason = 'the trainer process ended';

/**
 * The Runs of a folder: those of this process, and those that other processes and
 * earlier ones left there.
 *
 * A Run whose process is gone without an end is shown as failed, with an `ended` event
 * after its last. One that failed or was stopped and left a checkpoint may be taken up
 * again, by any process: its events go on behind that end.
 */
export interface RunStore {
  /** Makes a Run's folder, `spec.json` first. Throws `option_invalid`, `run_exists`, `storage_failed`. */
  create(runId: string, what: Pick<RunRecord, 'spec'>): Promise<{ readonly path: string }>;
  /**
   * Makes an interrupted Run one of this process, its first new event being `resumed`.
   * Throws `run_unknown`, `run_state` when it goes on, has finished or left no checkpoint,
   * and `storage_failed`.
   */
  resume(runId: string): Promise<{
    readonly path: string;
    readonly record: RunRecord;
    readonly resumed: RunEvent;
  }>;
  /** Adds an event to a Run that this process made. Throws `storage_failed`, `run_state` after its end. */
  append(runId: string, body: RunEventBody): Promise<RunEvent>;
  /** Throws `run_unknown`. */
  get(runId: string): Promise<Run>;
  /** Newest first. */
  list(): Promise<readonly Run[]>;
  /**
   * The events from a number on (0 and 1 both mean all), then those to come, until the
   * Run has ended. Throws `run_unknown`, and the signal's reason as `DomainError`.
   */
  watch(runId: string, fromNumber: number, signal: AbortSignal): AsyncIterable<RunEvent>;
  /**
   * Asks a Run, of whatever process, to stop after its step, by an empty file `stop` in
   * its folder. Throws `run_unknown`, `run_state` when it has ended, `storage_failed`.
   */
  requestStop(runId: string): Promise<void>;
  /** Closes the files. Runs that have not ended can no more be written to. */
  close(): Promise<void>;
}

export function createRunStore(runsDir: string): RunStore {
  const own = new Map<string, { readonly record: RunRecord; readonly log: EventLog }>();
  /** Runs that have ended, by the size of their events: lists are asked for often. */
  const ended = new Map<string, { readonly size: number; readonly run: FoldedRun }>();
  const pathOf = (runId: string) => {
    if (!isRunId(runId)) throw unknown(runId);
    return join(runsDir, runId);
  };

  async function readRecord(runId: string): Promise<RunRecord> {
    return readRunFolder(pathOf(runId)).catch((error: unknown) => {
      throw DomainError.from(error).code === 'run_unknown' ? unknown(runId) : error;
    });
  }

  /** The events on disk, with the end that a dead process could not write. */
  async function readAll(record: RunRecord): Promise<readonly RunEvent[]> {
    const path = join(pathOf(record.runId), runFiles.events);
    // Asked before reading: what a process writes while it lives is then all read.
    const lives = await isAlive(record.owner);
    const events = await readEvents(path);
    if (lives || events.at(-1)?.kind === 'ended') return events;
    const atMs = events.at(-1)?.atMs ?? record.startedAtMs;
    const { runId } = record;
    const end = { kind: 'ended', state: 'failed', reason: orphanReason } as const;
    return [...events, { ...end, number: events.length + 1, runId, atMs }];
  }

  async function get(runId: string): Promise<Run> {
    const run = await fold(runId);
    const isOver = run.state === 'running' || run.state === 'finished';
    return { ...run, resumable: !isOver && existsSync(join(pathOf(runId), runFiles.last)) };
  }

  async function fold(runId: string): Promise<FoldedRun> {
    const mine = own.get(runId);
    if (mine) return foldRun(mine.record, mine.log.events);
    // Another process may have taken it up since: its events have grown.
    const { size } = await stat(join(pathOf(runId), runFiles.events)).catch(() => ({ size: 0 }));
    const known = ended.get(runId);
    if (known?.size === size) return known.run;
    const record = await readRecord(runId);
    const run = foldRun(record, await readAll(record));
    if (run.state !== 'running') ended.set(runId, { size, run });
    return run;
  }

  return {
    get,

    async create(runId, what) {
      if (!isRunId(runId)) {
        throw new DomainError(
          'option_invalid',
          `expected a run id of letters, digits, ".", "_" and "-", 64 at most, got "${runId}"`,
        );
      }
      const path = pathOf(runId);
      const record = { runId, ...what, startedAtMs: Date.now(), owner: await thisOwner() };
      await createRunFolder(path, record);
      own.set(runId, { record, log: await createEventLog(join(path, runFiles.events), runId) });
      return { path };
    },

    async resume(runId) {
      const path = pathOf(runId);
      await readRecord(runId);
      return claimRun(path, async () => {
        const run = await get(runId);
        if (!run.resumable || own.has(runId)) {
          throw new DomainError('run_state', `run "${runId}" cannot go on: ${whyNot[run.state]}`);
        }
        const before = await readRecord(runId);
        const events = await readAll(before);
        await rm(stopFile(path), { force: true });
        const record = await changeOwner(path, { ...before, owner: await thisOwner() });
        const log = await reopenEventLog(join(path, runFiles.events), runId);
        // The end that a dead process could not write was shown: it keeps its number.
        const shown = events.at(log.events.length);
        try {
          if (shown?.kind === 'ended') {
            await log.append({ kind: 'ended', state: shown.state, reason: shown.reason });
          }
          const resumed = await log.append({ kind: 'resumed' });
          own.set(runId, { record, log });
          return { path, record, resumed };
        } catch (error) {
          await log.close();
          throw error;
        }
      });
    },

    async append(runId, body) {
      const mine = own.get(runId);
      if (!mine) {
        await get(runId);
        throw new DomainError('run_state', `run "${runId}" has ended, or another process has it`);
      }
      if (mine.log.hasEnded) {
        throw new DomainError('run_state', `run "${runId}" has ended`);
      }
      const event = await mine.log.append(body);
      if (body.kind === 'ended' && mine.log.isWhole) {
        // The disk has it all: the memory is for others.
        own.delete(runId);
        await mine.log.close();
      }
      return event;
    },

    async list() {
      const names = await readdir(runsDir).catch((cause: unknown) => {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw storageFailed('cannot read the folder of runs', cause);
      });
      const runs = await Promise.all(
        names.filter(isRunId).map((name) =>
          // A folder that is no Run, or a Run in the making, is nothing to fail over.
          get(name).catch(() => null),
        ),
      );
      return runs
        .filter((run) => run !== null)
        .sort((a, b) => b.startedAtMs - a.startedAtMs || (a.id < b.id ? -1 : 1));
    },

    async *watch(runId, fromNumber, signal) {
      let told = Math.max(0, fromNumber - 1);
      const mine = own.get(runId);
      const record = mine?.record ?? (await readRecord(runId));
      for (;;) {
        if (signal.aborted) throw DomainError.from(signal.reason);
        const events = mine?.log.events ?? (await readAll(record));
        for (; told < events.length; told += 1) {
          yield events[told] as RunEvent;
          if (signal.aborted) throw DomainError.from(signal.reason);
        }
        if (events.at(-1)?.kind === 'ended') return;
        if (mine) await mine.log.next(events.length, signal);
        else await delay(followEveryMs, undefined, { signal }).catch(() => undefined);
      }
    },

    async requestStop(runId) {
      const run = await get(runId);
      if (run.state !== 'running') {
        throw new DomainError('run_state', `run "${runId}" has ended: ${run.state}`);
      }
      await writeFile(stopFile(pathOf(runId)), '').catch((cause: unknown) => {
        throw storageFailed(`cannot ask run "${runId}" to stop`, cause);
      });
    },

    async close() {
      const logs = [...own.values()].map(({ log }) => log);
      own.clear();
      await Promise.all(logs.map((log) => log.close()));
    },
  };
}

const whyNot: Readonly<Record<Run['state'], string>> = {
  running: 'it is running',
  finished: 'it has finished',
  stopped: 'it left no checkpoint',
  failed: 'it left no checkpoint',
};

type FoldedRun = Omit<Run, 'resumable'>;

function unknown(runId: string): DomainError {
  return new DomainError('run_unknown', `there is no run "${runId}"`);
}
