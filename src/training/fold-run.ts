import type { EpochScores, Run, RunEvent } from './run.js';
import type { RunRecord } from './run-folder.js';

/** What a Run has come to, by its events, but for what its folder holds. */
export function foldRun(record: RunRecord, events: readonly RunEvent[]): Omit<Run, 'resumable'> {
  const history: EpochScores[] = [];
  let end: (RunEvent & { kind: 'ended' }) | null = null;
  let publishedVersion: number | null = null;
  let where = { device: '', deviceNote: '' };
  for (const event of events) {
    if (event.kind === 'started') {
      where = { device: event.device, deviceNote: event.deviceNote };
    }
    if (event.kind === 'epoch') {
      const { kind: _kind, number: _number, runId: _runId, atMs: _atMs, ...scores } = event;
      history.push(scores);
    }
    if (event.kind === 'published') publishedVersion = event.version;
    if (event.kind === 'ended') end = event;
    if (event.kind === 'resumed') end = null;
  }
  return {
    id: record.runId,
    spec: record.spec,
    state: end?.state ?? 'running',
    failure: end?.state === 'failed' ? end.reason : '',
    ...where,
    startedAtMs: record.startedAtMs,
    endedAtMs: end?.atMs ?? null,
    publishedVersion,
    history,
  };
}
