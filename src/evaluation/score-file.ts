import { basename } from 'node:path';
import { DomainError } from '../errors.js';
import { intervalsOf } from './evaluate-dataset.js';
import { readPredictions } from './predictions.js';
import type { Report } from './report.js';
import { score } from './score.js';

export interface ScoreFileOptions {
  /** A probability at or above it gives a label. @default 0.5 */
  readonly threshold?: number;
}

/**
 * Scores a file of predictions with known labels, one threshold for all labels, with
 * confidence intervals by frame.
 *
 * Throws `dataset_invalid` for a file `readPredictions` refuses, and for one
 * without a column `Target`.
 */
export async function scoreFile(
  path: string,
  { threshold = 0.5 }: ScoreFileOptions = {},
): Promise<Report> {
  const { ids, labels, probabilities, targets } = await readPredictions(path);
  if (targets === null) {
    throw new DomainError(
      'dataset_invalid',
      `${basename(path)}: expected a column "Target" with the known labels`,
    );
  }
  const thresholds = labels.map(() => threshold);
  const scored = { probabilities, targets, labels, thresholds };
  const intervals = await intervalsOf(scored, new Array(ids.length).fill(null));
  return { ...score(scored), intervals };
}
