import { type FileHandle, open, readFile } from 'node:fs/promises';
import { DomainError } from '../errors.js';
import { storageFailed } from '../files/index.js';
import { completeScores } from './epoch-scores.js';
import type { RunEvent, RunEventBody } from './run.js';

/** The events of a Run of this process: numbered, kept on disk, and told to who waits. */
export interface EventLog {
  /** All that were written so far, and those the disk refused. */
  readonly events: readonly RunEvent[];
  /** Whether the last event was appended, written or not. */
  readonly hasEnded: boolean;
  /** Whether the disk has all events. */
  readonly isWhole: boolean;
  /**
   * Numbers an event, writes it after those before it, then shows it to the watchers,
   * also when the disk refused it. What was refused is written with the next that fits, so
   * that no number is missing. Throws `storage_failed`.
   */
  append(body: RunEventBody): Promise<RunEvent>;
  /** Resolves when there is another event than the first `seen`, or the signal aborts. */
  next(seen: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Opens the log of a new Run. Throws `storage_failed`. */
export async function createEventLog(path: string, runId: string): Promise<EventLog> {
  return openEventLog(await openFile(path, runId, 'wx'), runId, { events: [], written: 0 });
}

/**
 * Opens the log of a Run that goes on after its end, behind its last whole event. A torn
 * line is cut off. Throws `storage_failed`.
 */
export async function reopenEventLog(path: string, runId: string): Promise<EventLog> {
  const events = await readEvents(path);
  const file = await openFile(path, runId, 'r+');
  try {
    const text = await file.readFile('utf8');
    const written = Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1));
    await file.truncate(written);
    return openEventLog(file, runId, { events, written });
  } catch (cause) {
    await file.close();
    throw storageFailed(`cannot write the events of run "${runId}"`, cause);
  }
}

async function openFile(path: string, runId: string, flags: string): Promise<FileHandle> {
  return open(path, flags).catch((cause: unknown) => {
    throw storageFailed(`cannot write the events of run "${runId}"`, cause);
  });
}

function openEventLog(
  file: FileHandle,
  runId: string,
  before: { readonly events: readonly RunEvent[]; readonly written: number },
): EventLog {
  const events = [...before.events];
  const waiting = new Set<() => void>();
  /** Bytes of the file that are whole lines. */
  let { written } = before;
  let unwritten = '';
  let lastWrite: Promise<void> = Promise.resolve();
  let count = events.length;
  let hasEnded = events.at(-1)?.kind === 'ended';

  async function write(isEnd: boolean): Promise<void> {
    const bytes = Buffer.from(unwritten);
    if (bytes.byteLength === 0) return;
    try {
      for (let done = 0; done < bytes.byteLength; ) {
        const rest = bytes.byteLength - done;
        done += (await file.write(bytes, done, rest, written + done)).bytesWritten;
      }
      if (isEnd) await file.datasync();
    } catch (cause) {
      // A torn line must not be taken for an event.
      await file.truncate(written).catch(() => undefined);
      throw storageFailed(`cannot write the events of run "${runId}"`, cause);
    }
    written += bytes.byteLength;
    unwritten = unwritten.slice(bytes.toString().length);
  }

  return {
    events,
    get hasEnded() {
      return hasEnded;
    },
    get isWhole() {
      return unwritten === '';
    },
    async append(body) {
      count += 1;
      const event: RunEvent = { ...body, number: count, runId, atMs: Date.now() };
      hasEnded = body.kind === 'ended';
      unwritten += `${JSON.stringify(event)}\n`;
      const isMilestone = body.kind !== 'step' && body.kind !== 'framesLoaded';
      const done = lastWrite
        .then(() => write(isMilestone))
        .finally(() => {
          events.push(event);
          for (const wake of [...waiting]) wake();
        });
      lastWrite = done.catch(() => undefined);
      await done;
      return event;
    },
    async next(seen, signal) {
      if (events.length > seen || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    },
    async close() {
      await lastWrite;
      await file.close();
    },
  };
}

/** Reads a log back, also while another process writes it: a line without its end is not read. */
export async function readEvents(path: string): Promise<RunEvent[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw storageFailed('cannot read the events of the run', cause);
  });
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => {
    try {
      return fromJson(JSON.parse(line) as RunEvent);
    } catch (cause) {
      throw new DomainError('storage_failed', `line ${index + 1} of the events is not JSON`, {
        cause,
      });
    }
  });
}

/** Of a start that was written before starts told it. */
const untold = { device: '', deviceNote: '', movedFrames: 0, isParentUnknown: false };

/** JSON writes a number that is not finite as null: a diverged loss. */
function fromJson(event: RunEvent): RunEvent {
  if (event.kind === 'started') return { ...untold, ...event };
  if (event.kind === 'epoch') return { ...event, ...completeScores(event) };
  if (event.kind !== 'step') return event;
  const fields = Object.entries(event).map(([key, value]) => [key, value ?? Number.NaN]);
  return Object.fromEntries(fields) as RunEvent;
}
