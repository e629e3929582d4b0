import { DomainError } from '../errors.js';
import type { LabelSet } from '../label-set.js';
import type { PredictionRow } from './predictions.js';
import type { Report } from './report.js';
import { type Scored, score } from './score.js';

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
