import type { PredictionRow } from './predictions.js';

/** A label of a frame, given or not, that the model does not believe. */
export interface Doubt {
  readonly label: number;
  /** Whether the dataset says that the frame has it. */
  readonly isGiven: boolean;
  readonly probability: number;
  /** What a frame of the other kind has on average, by which this one is judged. */
  readonly expected: number;
  /** The probability of what the dataset says: how far the model believes it. */
  readonly selfConfidence: number;
  /** The same on average of the frames of which the dataset says so. */
  readonly usualConfidence: number;
}

/** A frame with what is doubted of it, what is doubted most first. */
export interface DoubtedFrame {
  readonly id: string;
  readonly doubts: readonly Doubt[];
}

/** Doubts of one frame that are named where there is little room; a file has them all. */
const namedDoubts = 4;

/** What is doubted most of a frame, and how much more there is. */
export function foremostDoubts({ doubts }: DoubtedFrame): {
  readonly foremost: readonly Doubt[];
  readonly moreCount: number;
} {
  return {
    foremost: doubts.slice(0, namedDoubts),
    moreCount: Math.max(0, doubts.length - namedDoubts),
  };
}

/** As the reference implementation forgives rounding. */
const slack = 1e-6;

/**
 * The frames whose labels the model doubts most: first those that it believes less than
 * others of the same label by the most, so that a label of which it is never sure does not
 * come before all others.
 *
 * A label that the dataset gives is doubted where the model says "no" at least as surely
 * as it does on average of the frames without it, and the other way round; where it is
 * sure of both by that measure, the more probable counts. Each label is a question of its
 * own, so that a rare one, of which the model is never sure, is judged by its own averages.
 *
 * What a model was trained on it has learnt to believe: the answers should come from a
 * version that has not seen the frames, as those of a cross-validation.
 *
 * Source: Northcutt, Jiang & Chuang, "Confident learning", JAIR 70 (2021), equation 1 and
 * section 3.1; the order by adjusted self-confidence as
 * in Kuan & Mueller, ICML 2022 workshop on Principles of Distribution Shift; label by label as in Thyagarajan et al., arXiv 2211.13895.
 */
export function findDoubts(
  rows: readonly PredictionRow[],
  labelCount: number,
): readonly DoubtedFrame[] {
  const known = rows.flatMap(({ id, labelIndices, probabilities }) =>
    labelIndices === null ? [] : [{ id, given: new Set(labelIndices), probabilities }],
  );
  const byFrame = known.map(() => [] as Doubt[]);
  for (let label = 0; label < labelCount; label += 1) {
    const probabilityOf = (at: number) => known[at]?.probabilities[label] ?? 0;
    const withIt = [...known.keys()].filter((at) => known[at]?.given.has(label));
    const without = [...known.keys()].filter((at) => !known[at]?.given.has(label));
    const expectedYes = meanOf(withIt.map(probabilityOf));
    const expectedNo = meanOf(without.map((at) => 1 - probabilityOf(at)));
    for (const [isGiven, places] of [
      [true, withIt],
      [false, without],
    ] as const) {
      for (const at of places) {
        const probability = probabilityOf(at);
        const saysYes = probability >= expectedYes - slack;
        const saysNo = 1 - probability >= expectedNo - slack;
        const isYes = saysYes && saysNo ? probability > 0.5 : saysYes;
        if (!(saysYes || saysNo) || isYes === isGiven) continue;
        byFrame[at]?.push({
          ...{ label, isGiven, probability },
          expected: isGiven ? 1 - expectedNo : expectedYes,
          selfConfidence: isGiven ? probability : 1 - probability,
          usualConfidence: isGiven ? expectedYes : expectedNo,
        });
      }
    }
  }
  return known
    .map(({ id }, at) => ({ id, doubts: (byFrame[at] ?? []).sort(byDeficit) }))
    .filter(({ doubts }) => doubts.length > 0)
    .sort((a, b) => leastOf(a) - leastOf(b));
}

/** Below 0: believed less than usual. */
const deficitOf = ({ selfConfidence, usualConfidence }: Doubt): number =>
  selfConfidence - usualConfidence;

const byDeficit = (a: Doubt, b: Doubt): number => deficitOf(a) - deficitOf(b);

const leastOf = ({ doubts }: DoubtedFrame): number =>
  doubts[0] === undefined ? 0 : deficitOf(doubts[0]);

/** NaN without values: nothing is then expected, and nothing compared with it is so. */
function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
