import {
  crossEntropyClip,
  labelsOver,
  type PredictionRow,
  type Report,
} from '../evaluation/index.js';

/** One frame with what was wrong about its answer. */
export interface Mistake {
  readonly row: PredictionRow;
  /** Binary cross-entropy, mean over labels. */
  readonly loss: number;
  readonly missed: readonly number[];
  readonly wronglyGiven: readonly number[];
  readonly hit: readonly number[];
}

/** Compares every row with its truth, the largest loss first. Rows without a truth are left out. */
export function rankMistakes(
  rows: readonly PredictionRow[],
  thresholds: readonly number[],
): readonly Mistake[] {
  return rows
    .flatMap((row) =>
      row.labelIndices === null ? [] : [toMistake(row, row.labelIndices, thresholds)],
    )
    .sort((a, b) => b.loss - a.loss);
}

/**
 * What is taken for what, as a table `[L+1][L+1]`: row the missed label, column the wrongly
 * given one, the last of each "none". The diagonal counts labels rightly given.
 */
export function pairTable({ labels, pairs }: Report): readonly (readonly number[])[] {
  const side = labels.length + 1;
  const counts = Array.from({ length: side }, () => new Array<number>(side).fill(0));
  const set = (row: number, column: number, count: number) => {
    const of = counts[row];
    if (of !== undefined) of[column] = count;
  };
  // A recall is a share of the support: hits come back whole.
  for (const [label, { recall, support }] of labels.entries()) {
    set(label, label, Math.round((recall ?? 0) * support));
  }
  for (const { missed, given, count } of pairs) {
    set(missed ?? labels.length, given ?? labels.length, count);
  }
  return counts;
}

function toMistake(
  row: PredictionRow,
  truth: readonly number[],
  thresholds: readonly number[],
): Mistake {
  const given = labelsOver(row.probabilities, thresholds);
  let loss = 0;
  for (const [label, probability] of row.probabilities.entries()) {
    const ofTruth = truth.includes(label) ? probability : 1 - probability;
    loss -= Math.log(Math.min(1 - crossEntropyClip, Math.max(crossEntropyClip, ofTruth)));
  }
  return {
    row,
    loss: loss / Math.max(1, row.probabilities.length),
    missed: truth.filter((label) => !given.includes(label)),
    wronglyGiven: given.filter((label) => !truth.includes(label)),
    hit: given.filter((label) => truth.includes(label)),
  };
}
