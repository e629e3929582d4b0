import { crossEntropyClip, labelsOver, type PredictionRow } from '../evaluation/index.js';

/**
 * How often a label was missed where another was given wrongly. A frame counts in
 * every pair of its missed and its wrongly given labels.
 */
export interface LabelPairs {
  /** `[L+1][L+1]`: row the true label, column the given one; the last of each is "none". The diagonal counts hits. */
  readonly counts: readonly (readonly number[])[];
}

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  readonly meanProbability: number;
  /** Share of the answers in the bin that were true. */
  readonly trueShare: number;
  readonly count: number;
}

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

export function countPairs(mistakes: readonly Mistake[], labelCount: number): LabelPairs {
  const counts = Array.from({ length: labelCount + 1 }, () =>
    new Array<number>(labelCount + 1).fill(0),
  );
  const count = (row: number, column: number) => {
    const of = counts[row];
    if (of !== undefined) of[column] = (of[column] ?? 0) + 1;
  };
  for (const { missed, wronglyGiven, hit } of mistakes) {
    for (const label of hit) count(label, label);
    const given = wronglyGiven.length === 0 ? [labelCount] : wronglyGiven;
    const truth = missed.length === 0 ? [labelCount] : missed;
    if (missed.length === 0 && wronglyGiven.length === 0) continue;
    for (const row of truth) for (const column of given) count(row, column);
  }
  return { counts };
}

/**
 * Probabilities in ten bins of equal width over all labels, empty bins left out:
 * where the model says 0.8, how often is it so? Source: Niculescu-Mizil & Caruana,
 * "Predicting good probabilities with supervised learning", ICML 2005.
 */
export function reliability(rows: readonly PredictionRow[], bins = 10): readonly ReliabilityBin[] {
  const sums = Array.from({ length: bins }, () => ({ probability: 0, isTrue: 0, count: 0 }));
  for (const { probabilities, labelIndices } of rows) {
    if (labelIndices === null) continue;
    const truth = new Set(labelIndices);
    for (const [label, probability] of probabilities.entries()) {
      const bin = sums[Math.min(bins - 1, Math.floor(probability * bins))];
      if (bin === undefined) continue;
      bin.probability += probability;
      bin.isTrue += truth.has(label) ? 1 : 0;
      bin.count += 1;
    }
  }
  return sums
    .filter(({ count }) => count > 0)
    .map(({ probability, isTrue, count }) => ({
      meanProbability: probability / count,
      trueShare: isTrue / count,
      count,
    }));
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
