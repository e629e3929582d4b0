import { stringify } from 'csv-stringify/sync';
import { DomainError } from '../errors.js';
import { labelsOver, type PredictionRow, writeWhole } from './predictions.js';

/** What is asked for, and from which probability on a label is given. */
export interface SubmissionOptions {
  /** Every Id of `sample_submission.csv`, in its order. */
  readonly order: readonly string[];
  /** One per label: a probability at or above it gives the label. */
  readonly thresholds: readonly number[];
}

/**
 * Writes `Id,Predicted` with the numbers of labels separated by spaces, in the
 * order of the sample; a frame none of whose labels reaches its threshold gets none, which the
 * competition takes and which is what `score` counts.
 *
 * Throws `dataset_invalid` when a frame of the sample has no prediction, or more
 * than one; `storage_failed` when the file cannot be written.
 */
export async function writeSubmission(
  path: string,
  rows: readonly PredictionRow[],
  { order, thresholds }: SubmissionOptions,
): Promise<void> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  if (byId.size !== rows.length) {
    throw new DomainError(
      'dataset_invalid',
      `expected one prediction a frame, got ${rows.length} for ${byId.size} frames`,
    );
  }
  const missing = order.filter((id) => !byId.has(id));
  if (missing.length > 0) {
    throw new DomainError(
      'dataset_invalid',
      `expected a prediction for each of ${order.length} frames, ${missing.length} have none: ${missing.slice(0, 8).join(', ')}`,
    );
  }
  const records = order.map((id) => {
    const { probabilities = new Float64Array() } = byId.get(id) ?? {};
    return [id, labelsOver(probabilities, thresholds).join(' ')];
  });
  await writeWhole(path, stringify([['Id', 'Predicted'], ...records]));
}
