import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../errors.js';
import { readCheckpoint, writeCheckpoint } from '../checkpoint.js';
import { completeScores } from '../epoch-scores.js';
import { type Progress, packTensors, unpackTensors } from '../progress.js';
import type { RunSpec } from '../run.js';
import { runFiles } from '../run-folder.js';
import type { StepRunner } from '../step-runner.js';
import type { LearningState } from './learn.js';

export interface CheckpointOptions {
  /** Of the run. */
  readonly folder: string;
  /** How old the last one is when a step within an epoch is kept. */
  readonly everyMs: number;
  readonly spec: RunSpec;
  readonly datasetFingerprint: string;
}

/** Writes where a learning stands, so that it can go on in another process. */
export interface CheckpointKeeper {
  /** Throws `storage_failed`; the one that was there stays. */
  save(now: LearningState, runner: Pick<StepRunner, 'step' | 'state'>): Promise<void>;
  isSaveDue(): boolean;
  /** Removes it: there is nothing to go on with. */
  discard(): Promise<void>;
}

export function createCheckpointKeeper(options: CheckpointOptions): CheckpointKeeper {
  const { folder, everyMs, spec, datasetFingerprint } = options;
  const path = join(folder, runFiles.last);
  let savedAtMs = performance.now();
  return {
    async save({ progress, best, answered }, runner) {
      await writeCheckpoint(path, {
        spec,
        epoch: progress.history.length,
        step: runner.step,
        state: packTensors({ state: runner.state(), best, answered }),
        progress: { ...progress, datasetFingerprint },
      });
      savedAtMs = performance.now();
    },
    isSaveDue: () => performance.now() - savedAtMs >= everyMs,
    discard: () => rm(path, { force: true }),
  };
}

/** A learning as it was kept. */
export interface KeptLearning extends LearningState {
  readonly progress: Progress;
  readonly step: number;
  readonly state: ReturnType<StepRunner['state']>;
}

/** Reads where a run stood. Throws `checkpoint_unknown`, `checkpoint_corrupt`. */
export async function readKeptLearning(folder: string): Promise<KeptLearning> {
  const { progress, step, state: tensors } = await readCheckpoint(join(folder, runFiles.last));
  if (progress === null) {
    throw new DomainError('checkpoint_corrupt', 'the checkpoint does not say where it stood');
  }
  const history = progress.history.map(completeScores);
  return { ...unpackTensors(tensors), progress: { ...progress, history }, step };
}

/**
 * Makes sure that a run goes on with what it began with: `fingerprint` as `loadFrames` gives
 * it. Throws `dataset_invalid` where a label or a pixel is another by now.
 */
export function assertSameFrames({ progress }: KeptLearning, fingerprint: string): void {
  if (progress.datasetFingerprint === fingerprint) return;
  throw new DomainError(
    'dataset_invalid',
    'expected the frames and labels that the run began with, got others; start a new run',
  );
}
