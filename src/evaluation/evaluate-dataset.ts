import { type FrameFolder, readFrame } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import type { LabelSet } from '../label-set.js';
import { type BootstrapOptions, bootstrapIntervals, type Intervals } from './bootstrap.js';
import {
  type ClassifyDatasetCollaborators,
  type ClassifyDatasetOptions,
  classifyDataset,
  type FrameFailure,
  type ListedFrame,
  type ScoredVersion,
} from './classify-dataset.js';
import { findDoubts } from './doubts.js';
import type { PredictionRow } from './predictions.js';
import type { DriftReport, Report } from './report.js';
import { type Scored, score } from './score.js';
import { tallyOf, unitsOf } from './tally.js';

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
 * Sends frames along the way that served frames take and scores the answers at
 * the thresholds of the version, with confidence intervals: by group where frames have one.
 *
 * One frame that cannot be read fails the evaluation, after all have been tried:
 * a score over the frames that happened to be whole is not the score of the
 * dataset, and nobody would see the difference.
 *
 * Throws `verb_unfit` where the dataset's labels are not the version's,
 * `dataset_invalid` with the bad frames and their faults or without any frame,
 * and what classifying throws.
 */
export async function evaluateDataset<F extends ListedFrame, H extends ScoredVersion>(
  { dataset, frames }: EvaluationSource<F>,
  collaborators: EvaluationCollaborators<F, H>,
  { doubtCount = 0, ...options }: EvaluateDatasetOptions = {},
): Promise<Evaluation> {
  const { name, version, labels, thresholds, drift } = collaborators.handle.manifest;
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
  const scored = stackRows(rows, labels, thresholds);
  const groups = frames.map(({ group }) => group ?? null);
  const report = {
    ...score(scored),
    intervals: await intervalsOf(scored, groups),
    doubts: doubtCount > 0 ? findDoubts(rows, labels.length).slice(0, doubtCount) : [],
    ...(drift ? { drift: driftOf(rows, drift.threshold) } : {}),
  };
  return { report, rows };
}

/** Intervals by group where the frames have groups, else by frame. */
export async function intervalsOf(
  scored: Scored,
  groups: readonly (string | null)[],
  options?: BootstrapOptions,
): Promise<Intervals> {
  const unit = groups.some((group) => group !== null) ? 'group' : 'frame';
  return { unit, ...(await bootstrapIntervals(tallyOf(scored, unitsOf(groups)), options)) };
}

function driftOf(rows: readonly PredictionRow[], threshold: number): DriftReport {
  const beyond = rows.filter(({ distance }) => distance !== undefined && distance > threshold);
  return { threshold, beyondShare: beyond.length / rows.length };
}

/** Scores rows whose labels are all known; `option_invalid` where one's are not. */
export function scoreRows(
  rows: readonly PredictionRow[],
  labels: LabelSet,
  thresholds: readonly number[],
): Report {
  return score(stackRows(rows, labels, thresholds));
}

/** Rows as `score` takes them; `option_invalid` where the labels of one are not known. */
export function stackRows(
  rows: readonly PredictionRow[],
  labels: LabelSet,
  thresholds: readonly number[],
): Scored & { readonly probabilities: Float64Array } {
  const probabilities = new Float64Array(rows.length * labels.length);
  const targets = new Uint8Array(probabilities.length);
  for (const [at, row] of rows.entries()) {
    if (row.labelIndices === null || row.probabilities.length !== labels.length) {
      const what = row.labelIndices === null ? 'known labels' : `${labels.length} probabilities`;
      throw new DomainError('option_invalid', `expected ${what} for frame "${row.id}"`);
    }
    probabilities.set(row.probabilities, at * labels.length);
    for (const label of row.labelIndices) targets[at * labels.length + label] = 1;
  }
  return { probabilities, targets, labels, thresholds };
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
    'dataset_invalid',
    `${failures.length} of ${total} frames could not be classified: ${named.join('; ')}${rest}`,
  );
}
