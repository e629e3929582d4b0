import { basename } from 'node:path';
import { DomainError } from '../errors.js';
import { readPredictions } from './predictions.js';
import type { Report } from './report.js';
import { reportInWorker } from './scoring.js';

export interface ScoreFileOptions {
  /** A probability at or above it gives a label. @default 0.5 */
  readonly threshold?: number;
  /** Hears how many rows are read. */
  readonly onRead?: (rows: number) => void;
  /** Hears how many draws of the intervals are done, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Scores a file of predictions with known labels, one threshold for all labels, with
 * confidence intervals by frame. The thread of the caller is free meanwhile.
 *
 * Throws `dataset_invalid` for a file `readPredictions` refuses, and for one
 * without a column `Target`.
 */
export async function scoreFile(
  path: string,
  { threshold = 0.5, onRead, onProgress, signal }: ScoreFileOptions = {},
): Promise<Report> {
  const { ids, labels, probabilities, targets } = await readPredictions(path, {
    onProgress: onRead,
    signal,
  });
  if (targets === null) {
    throw new DomainError(
      'dataset_invalid',
      `${basename(path)}: expected a column "Target" with the known labels`,
    );
  }
  const thresholds = labels.map(() => threshold);
  return reportInWorker(
    {
      scored: { probabilities, targets, labels, thresholds },
      ...{ ids, doubtCount: 0 },
      groups: ids.map(() => null),
    },
    { onProgress, signal },
  );
}
