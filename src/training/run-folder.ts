import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../errors.js';
import { makeFolder, storageFailed, writeDurably } from '../files/index.js';
import type { InputSpec } from '../frames/index.js';
import type { LabelSet } from '../label-set.js';
import { parseSeenFrames, type SeenFrames } from '../models/index.js';
import { completeSpec } from './complete-spec.js';
import type { RunSpec } from './run.js';
import type { RunOwner } from './run-owner.js';
import { parseRunSpec } from './run-spec.js';

/** Names of what lies in a Run's folder. */
export const runFiles = {
  spec: 'spec.json',
  /** One event a line, in order. */
  events: 'events.jsonl',
  /** The `model.onnx` of the version that the Run begins with, if any. */
  parent: 'parent.onnx',
  /** Its `frames.json`: what it has met. Not there where it keeps no list. */
  parentFrames: 'parent-frames.json',
  /** The checkpoint that an interrupted Run goes on from. */
  last: 'last.safetensors',
  /** The weights that are served, once the learning is over. */
  best: 'best.safetensors',
} as const;

/** The file whose presence asks a Run to stop after the step it is in. */
export function stopFile(path: string): string {
  return join(path, 'stop');
}

/** What a Run is to do: `spec.json`, written before anything else happens. */
export interface RunRecord {
  readonly runId: string;
  readonly spec: RunSpec;
  readonly startedAtMs: number;
  readonly owner: RunOwner;
}

/** Makes the folder with its `spec.json`. Throws `run_exists`, `storage_failed`. */
export async function createRunFolder(path: string, record: RunRecord): Promise<void> {
  const { runId } = record;
  await makeFolder(join(path, '..')).catch((cause: unknown) => {
    throw storageFailed('cannot make the folder of runs', cause);
  });
  await mkdir(path).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new DomainError('run_exists', `there is a run "${runId}" already`);
    }
    throw storageFailed(`cannot make the folder of run "${runId}"`, cause);
  });
  try {
    await writeRecord(path, record);
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
}

/** Notes whose Run it is now. Throws `storage_failed`. */
export async function changeOwner(path: string, record: RunRecord): Promise<RunRecord> {
  await writeRecord(path, record);
  return record;
}

function writeRecord(path: string, record: RunRecord): Promise<void> {
  const text = `${JSON.stringify(record, null, 2)}\n`;
  return writeDurably(join(path, runFiles.spec), [Buffer.from(text)]);
}

/**
 * What the version that a Run begins with has met; null where it keeps no list, and for a Run
 * of a release that did not ask. Throws `model_failed` for a file that is no list,
 * `storage_failed`.
 */
export async function readParentFrames(path: string): Promise<SeenFrames | null> {
  const text = await readFile(join(path, runFiles.parentFrames), 'utf8').catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw storageFailed('cannot read what the parent of the run has seen', cause);
  });
  return text === null ? null : parseSeenFrames(text, 'the parent of the run');
}

/** Beside its spec, as records had them before specs did. */
interface EarlierRecord {
  readonly inputSpec?: InputSpec;
  readonly labels?: LabelSet;
}

/** Reads what a Run is to do; choices that came after it have their defaults. Throws `run_unknown`, `storage_failed`. */
export async function readRunFolder(path: string): Promise<RunRecord> {
  let text: string;
  try {
    text = await readFile(join(path, runFiles.spec), 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new DomainError('run_unknown', 'there is no such run');
    }
    throw storageFailed('cannot read the spec of the run', cause);
  }
  try {
    const { inputSpec, labels, ...record } = JSON.parse(text) as RunRecord & EarlierRecord;
    const earlier = inputSpec && labels ? { inputSpec, labels } : {};
    const parsed = parseRunSpec({ ...record.spec, ...earlier });
    // Written whole, so that a parent has no say any more.
    return 'value' in parsed ? { ...record, spec: completeSpec(parsed.value, null) } : record;
  } catch (cause) {
    throw new DomainError('storage_failed', 'the spec of the run is not JSON', { cause });
  }
}
