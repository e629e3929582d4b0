import { stringify } from 'csv-stringify/sync';
import { DomainError } from '../errors.js';
import { labelsOver, type PredictionRow, writeWhole } from './predictions.js';

export interface SubmissionOptions {
  /** Every Id of `sample_submission.csv`, in its order. */
  readonly order: readonly string[];
  /** One per label: a probability at or above it gives the label. */
  readonly thresholds: readonly number[];
  /**
   * What a frame gets none of whose labels reaches its threshold: nothing, which
   * the competition takes and which is what `score` counts, or the label of the
   * highest probability.
   * @default 'nothing'
   */
  readonly whenNone?: 'nothing' | 'top';
}

/**
 * Writes `Id,Predicted` with the numbers of labels separated by spaces, in the
 * order of the sample.
 *
 * Throws `dataset_invalid` when a frame of the sample has no prediction, or more
 * than one; `storage_failed` when the file cannot be written.
 */
export async function writeSubmission(
  path: string,
  rows: readonly PredictionRow[],
  { order, thresholds, whenNone = 'nothing' }: SubmissionOptions,
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
    const given = labelsOver(probabilities, thresholds);
    const top = whenNone === 'top' && given.length === 0 ? [indexOfHighest(probabilities)] : given;
    return [id, top.join(' ')];
  });
  await writeWhole(path, stringify([['Id', 'Predicted'], ...records]));
}

function indexOfHighest(values: ArrayLike<number>): number {
  let highest = 0;
  for (let index = 1; index < values.length; index += 1) {
    if ((values[index] ?? 0) > (values[highest] ?? 0)) highest = index;
  }
  return highest;
}
