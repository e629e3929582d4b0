import { DomainError } from '../errors.js';
import type { LabelSet } from '../label-set.js';
import { calibrationError, ofPresentLabels, reliability } from './calibration.js';
import { countPairs } from './pairs.js';
import { rank } from './ranking.js';
import type { LabelReport, Report } from './report.js';

/** Probabilities with the truth, row by row. */
export interface Scored {
  /** `[N, L]`, 0..1. */
  readonly probabilities: Float64Array | Float32Array;
  /** `[N, L]`, 1 where the frame has the label. */
  readonly targets: Uint8Array;
  readonly labels: LabelSet;
  /** One per label: a probability at or above it gives the label. */
  readonly thresholds: readonly number[];
}

/**
 * Probabilities are kept this far from 0 and 1 in the binary cross-entropy, as
 * Keras keeps them (`keras.config.epsilon`), so that one sure mistake costs 16.1
 * and not infinity. scikit-learn 1.2 used 1e-15.
 */
export const crossEntropyClip = 1e-7;

/**
 * Scores predictions against truth, each number as scikit-learn defines it with
 * `zero_division=0`. Synchronous: 31,072 frames of 28 labels take about 0.2 s.
 *
 * A macro mean over the ranking of labels leaves out those whose ranking is not
 * defined, and is NaN when none is.
 *
 * Throws `option_invalid` for no frames, for arrays whose lengths disagree, and
 * for a probability that is not a number from 0 to 1.
 */
export function score({ probabilities, targets, labels, thresholds }: Scored): Report {
  const labelCount = labels.length;
  const frameCount = labelCount === 0 ? 0 : targets.length / labelCount;
  assertShapes({ probabilities, targets, labels, thresholds }, frameCount);

  const truePositives = new Float64Array(labelCount);
  const predictedPositives = new Float64Array(labelCount);
  const supports = new Float64Array(labelCount);
  const cut = Float64Array.from(thresholds);
  let exactMatches = 0;
  let crossEntropy = 0;
  for (let frame = 0, at = 0; frame < frameCount; frame += 1) {
    let isExact = true;
    for (let label = 0; label < labelCount; label += 1, at += 1) {
      const probability = probabilities[at] ?? Number.NaN;
      if (!(probability >= 0 && probability <= 1)) {
        throw new DomainError(
          'option_invalid',
          `expected probabilities from 0 to 1, got ${probability} for label "${labels[label]}" of frame ${frame}`,
        );
      }
      const isTrue = targets[at] === 1;
      const isPredicted = probability >= (cut[label] ?? 0);
      if (isTrue) supports[label] = (supports[label] ?? 0) + 1;
      if (isPredicted) {
        predictedPositives[label] = (predictedPositives[label] ?? 0) + 1;
        if (isTrue) truePositives[label] = (truePositives[label] ?? 0) + 1;
      }
      if (isTrue !== isPredicted) isExact = false;
      const ofTruth = isTrue ? probability : 1 - probability;
      crossEntropy -= Math.log(Math.min(1 - crossEntropyClip, Math.max(crossEntropyClip, ofTruth)));
    }
    if (isExact) exactMatches += 1;
  }

  const perLabel = labels.map((label, index) => {
    const support = supports[index] ?? 0;
    const predicted = predictedPositives[index] ?? 0;
    const hits = truePositives[index] ?? 0;
    const { positives, negatives } = column(probabilities, targets, index, labelCount, support);
    return {
      label,
      support,
      wronglyGiven: predicted - hits,
      threshold: thresholds[index] ?? 0,
      precision: ratio(hits, predicted),
      recall: ratio(hits, support),
      f1: ratio(2 * hits, predicted + support),
      ...rank(positives, negatives),
    };
  });

  const total = frameCount * labelCount;
  const trueCount = sum(supports);
  const predictedCount = sum(predictedPositives);
  const hitCount = sum(truePositives);
  const present = perLabel.filter(({ support }) => support > 0);
  const trueOrGiven = perLabel.filter(
    ({ support, wronglyGiven }) => support > 0 || wronglyGiven > 0,
  );
  const mean = (of: typeof perLabel, key: 'precision' | 'recall' | 'f1') =>
    ratio(sum(of.map((label) => label[key])), of.length);
  const weighted = (key: 'precision' | 'recall' | 'f1') =>
    ratio(sum(perLabel.map((label) => label[key] * label.support)), trueCount);
  const bins = reliability({ probabilities, targets });
  const binsPresent = reliability(ofPresentLabels({ probabilities, targets }, labelCount));
  return {
    frameCount,
    binaryAccuracy: (total - trueCount - predictedCount + 2 * hitCount) / total,
    alwaysNoAccuracy: (total - trueCount) / total,
    exactMatch: exactMatches / frameCount,
    microPrecision: ratio(hitCount, predictedCount),
    microRecall: ratio(hitCount, trueCount),
    microF1: ratio(2 * hitCount, predictedCount + trueCount),
    macroPrecision: mean(perLabel, 'precision'),
    macroRecall: mean(perLabel, 'recall'),
    macroF1: mean(perLabel, 'f1'),
    macroPrecisionPresent: mean(present, 'precision'),
    macroRecallPresent: mean(present, 'recall'),
    macroF1Present: mean(present, 'f1'),
    macroF1TrueOrGiven: mean(trueOrGiven, 'f1'),
    weightedPrecision: weighted('precision'),
    weightedRecall: weighted('recall'),
    weightedF1: weighted('f1'),
    macroAurocPresent: meanOfDefined(present.map(({ auroc }) => auroc)),
    macroAveragePrecisionPresent: meanOfDefined(
      present.map(({ averagePrecision }) => averagePrecision),
    ),
    meanBinaryCrossEntropy: crossEntropy / total,
    expectedCalibrationErrorPresent: calibrationError(binsPresent),
    reliabilityPresent: binsPresent,
    expectedCalibrationError: calibrationError(bins),
    reliability: bins,
    labels: perLabel.map(
      (of): LabelReport =>
        of.support > 0 ? of : { ...of, precision: null, recall: null, f1: null },
    ),
    pairs: countPairs({ probabilities, targets, labels, thresholds }),
    intervals: null,
    doubts: [],
  };
}

function assertShapes(scored: Scored, frameCount: number): void {
  const { probabilities, targets, labels, thresholds } = scored;
  const faults: string[] = [];
  if (!(frameCount >= 1)) faults.push('expected at least one frame and one label, got none');
  if (!Number.isInteger(frameCount)) {
    faults.push(`expected a multiple of ${labels.length} targets, got ${targets.length}`);
  }
  if (probabilities.length !== targets.length) {
    faults.push(`expected ${targets.length} probabilities, got ${probabilities.length}`);
  }
  if (thresholds.length !== labels.length) {
    faults.push(`expected ${labels.length} thresholds, got ${thresholds.length}`);
  }
  if (faults.length > 0) throw new DomainError('option_invalid', faults.join('; '));
}

/** The scores of one label, of the frames that have it and of those that have not. */
function column(
  probabilities: Float64Array | Float32Array,
  targets: Uint8Array,
  label: number,
  labelCount: number,
  support: number,
): { positives: Float64Array; negatives: Float64Array } {
  const positives = new Float64Array(support);
  const negatives = new Float64Array(targets.length / labelCount - support);
  let positiveCount = 0;
  let negativeCount = 0;
  for (let at = label; at < targets.length; at += labelCount) {
    const probability = probabilities[at] ?? 0;
    if (targets[at] === 1) positives[positiveCount++] = probability;
    else negatives[negativeCount++] = probability;
  }
  return { positives, negatives };
}

/** 0 where nothing was predicted or nothing is there, as with `zero_division=0`. */
function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function meanOfDefined(values: readonly (number | null)[]): number {
  const defined = values.filter((value) => value !== null);
  return defined.length === 0 ? Number.NaN : sum(defined) / defined.length;
}
