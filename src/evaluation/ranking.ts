/** How well scores rank the frames that have a label above those that have not. */
export interface Ranking {
  /** Area under the receiver operating characteristic; null without both kinds of frames. */
  readonly auroc: number | null;
  /** null without a frame that has the label. */
  readonly averagePrecision: number | null;
}

/**
 * Area under the ROC curve and average precision of one label, ties counted as
 * scikit-learn's `roc_auc_score` and `average_precision_score` count them: a tie
 * between the two kinds is half a win, and equal scores are one threshold.
 *
 * Both arrays are sorted in place. Sorting numbers natively, each kind by itself,
 * is some ten times faster than sorting indices by a comparison.
 */
export function rank(positives: Float64Array, negatives: Float64Array): Ranking {
  positives.sort();
  negatives.sort();
  const positiveCount = positives.length;
  const negativeCount = negatives.length;
  let wins = 0;
  let precisionSum = 0;
  let below = 0;
  let notAbove = 0;
  let i = 0;
  while (i < positiveCount) {
    const score = positives[i] ?? 0;
    let next = i + 1;
    while (next < positiveCount && positives[next] === score) next += 1;
    while (below < negativeCount && (negatives[below] ?? 0) < score) below += 1;
    notAbove = Math.max(notAbove, below);
    while (notAbove < negativeCount && negatives[notAbove] === score) notAbove += 1;
    const tied = next - i;
    const truePositives = positiveCount - i;
    wins += tied * ((below + notAbove) / 2);
    precisionSum += (tied * truePositives) / (truePositives + negativeCount - below);
    i = next;
  }
  return {
    auroc: positiveCount > 0 && negativeCount > 0 ? wins / (positiveCount * negativeCount) : null,
    averagePrecision: positiveCount > 0 ? precisionSum / positiveCount : null,
  };
}
