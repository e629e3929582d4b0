/** Which frame has which label: `[N, L]`, 1 where it has. */
export interface LabelTable {
  readonly targets: Uint8Array;
  readonly labelCount: number;
}

/** In how many frames each label is. */
export function countLabels({ targets, labelCount }: LabelTable): readonly number[] {
  const counts = new Array<number>(labelCount).fill(0);
  for (const [at, target] of targets.entries()) {
    counts[at % labelCount] = (counts[at % labelCount] ?? 0) + target;
  }
  return counts;
}

/**
 * How many times a "yes" of each label counts in the weighted loss, so that it weighs as
 * much as all "no" of the label together: frames without it over frames with it, at most
 * `most`. A label that no frame has weighs 1; there is nothing to weigh.
 *
 * Source: PyTorch 1.13's documentation of BCEWithLogitsLoss, `pos_weight`. The bound is
 * ours: a label in 3 of 3,000 frames would make a step of its frame alone.
 */
export function positiveWeightsOf(table: LabelTable, most: number): readonly number[] {
  const frameCount = table.targets.length / table.labelCount;
  return countLabels(table).map((count) =>
    count === 0 ? 1 : Math.min(most, (frameCount - count) / count),
  );
}

/**
 * How much more often a frame is drawn than one of a label that all frames have: one over
 * the square root of the part of the frames that have its rarest label. A frame without
 * labels counts as one of the most common label.
 *
 * Source: the square root of Mahajan et al., ECCV 2018, arXiv 1805.00932, section 2.2;
 * the rarest label decides as in Gupta, Dollár and Girshick, LVIS, arXiv 1908.03195,
 * appendix B. Without the root, frames of a rare label would come ten times an epoch.
 */
export function drawingWeightsOf(table: LabelTable): readonly number[] {
  const { targets, labelCount } = table;
  const frameCount = targets.length / labelCount;
  const ofLabels = countLabels(table).map((count) =>
    count === 0 ? Number.POSITIVE_INFINITY : Math.sqrt(frameCount / count),
  );
  const least = Math.min(...ofLabels);
  const ofCommon = Number.isFinite(least) ? least : 1;
  return Array.from({ length: frameCount }, (_, row) => {
    let most = ofCommon;
    for (const [label, weight] of ofLabels.entries()) {
      if (targets[row * labelCount + label] === 1) most = Math.max(most, weight);
    }
    return most;
  });
}
