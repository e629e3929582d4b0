import { type FrameFolder, readFrame } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import type { LabelSet } from '../label-set.js';
import {
  type ClassifyDatasetCollaborators,
  type ClassifyDatasetOptions,
  classifyDataset,
  type FrameFailure,
  type ListedFrame,
  type ScoredVersion,
} from './classify-dataset.js';
import type { PredictionRow } from './predictions.js';
import type { DriftReport, Report } from './report.js';
import { reportInWorker } from './scoring.js';
import { stackRows } from './stack-rows.js';

/** What a version is scored on. */
export interface EvaluationSource<F extends ListedFrame> {
  readonly dataset: FrameFolder & { readonly labels: LabelSet };
  /** All of the dataset, or the part that was held out. */
  readonly frames: readonly F[];
}

export interface EvaluateDatasetOptions extends ClassifyDatasetOptions {
  /** So many frames whose labels the version doubts most go into the report. @default 0 */
  readonly doubtCount?: number;
}

export interface Evaluation {
  readonly report: Report;
  /** In the order of the frames. */
  readonly rows: readonly PredictionRow[];
}

/** As for `classifyDataset`; frames are read from the dataset unless something else reads them. */
export type EvaluationCollaborators<F extends ListedFrame, H extends ScoredVersion> = Omit<
  ClassifyDatasetCollaborators<F, H>,
  'readFrame'
> &
  Partial<Pick<ClassifyDatasetCollaborators<F, H>, 'readFrame'>>;

/** Only so many frames are named; the rest are counted. */
const namedFrames = 5;

/**
 * The answers to all frames, which nothing is missing of. Throws as `evaluateDataset`.
 */
export async function classifyWhole<F extends ListedFrame, H extends ScoredVersion>(
  { dataset, frames }: EvaluationSource<F>,
  collaborators: EvaluationCollaborators<F, H>,
  options: ClassifyDatasetOptions = {},
): Promise<readonly PredictionRow[]> {
  const { name, version, labels } = collaborators.handle.manifest;
  if (frames.length === 0) {
    throw new DomainError('dataset_invalid', 'expected at least one frame to score, got none');
  }
  assertSameLabels(dataset.labels, labels, `${name}@${version}`);
  const { rows, failures } = await classifyDataset(
    frames,
    { readFrame: (frame) => readFrame(dataset, frame), ...collaborators },
    options,
  );
  if (failures.length > 0) throw failed(failures, frames.length);
  return rows;
}

/**
 * Sends frames along the way that served frames take and scores the answers at
 * the thresholds of the version, with confidence intervals: by group where frames have one.
 * Scores are made in a thread of their own, so that frames are served meanwhile.
 *
 * One frame that cannot be read fails the evaluation, after all have been tried:
 * a score over the frames that happened to be whole is not the score of the
 * dataset, and nobody would see the difference.
 *
 * Throws `verb_unfit` where the dataset's labels are not the version's,
 * `dataset_invalid` with the bad frames and their faults or without any frame,
 * `answer_invalid` with the frames where one was given no finite probabilities, and what
 * classifying throws.
 */
export async function evaluateDataset<F extends ListedFrame, H extends ScoredVersion>(
  { dataset, frames }: EvaluationSource<F>,
  collaborators: EvaluationCollaborators<F, H>,
  { doubtCount = 0, ...options }: EvaluateDatasetOptions = {},
): Promise<Evaluation> {
  const { labels, thresholds, drift } = collaborators.handle.manifest;
  const rows = await classifyWhole({ dataset, frames }, collaborators, options);
  const report = await reportInWorker(
    {
      scored: stackRows(rows, labels, thresholds),
      ids: rows.map(({ id }) => id),
      groups: frames.map(({ group }) => group ?? null),
      doubtCount,
    },
    { signal: options.signal },
  );
  return {
    report: { ...report, ...(drift ? { drift: driftOf(rows, drift.threshold) } : {}) },
    rows,
  };
}

function driftOf(rows: readonly PredictionRow[], threshold: number): DriftReport {
  const beyond = rows.filter(({ distance }) => distance !== undefined && distance > threshold);
  return { threshold, beyondShare: beyond.length / rows.length };
}

function assertSameLabels(dataset: LabelSet, version: LabelSet, ref: string): void {
  if (dataset.length !== version.length) {
    throw new DomainError(
      'verb_unfit',
      `expected a dataset with the ${version.length} labels of ${ref}, got ${dataset.length} labels`,
    );
  }
  const at = version.findIndex((label, index) => label !== dataset[index]);
  if (at >= 0) {
    throw new DomainError(
      'verb_unfit',
      `expected a dataset with the labels of ${ref}, label ${at} is "${dataset[at]}" and not "${version[at]}"`,
    );
  }
}

function failed(failures: readonly FrameFailure[], total: number): DomainError {
  const named = failures
    .slice(0, namedFrames)
    .map(({ id, message }) => (message.includes(id) ? message : `frame "${id}": ${message}`));
  const rest = failures.length > namedFrames ? `; and ${failures.length - namedFrames} more` : '';
  return new DomainError(
    failures.some(({ code }) => code === 'answer_invalid') ? 'answer_invalid' : 'dataset_invalid',
    `${failures.length} of ${total} frames could not be classified: ${named.join('; ')}${rest}`,
  );
}
