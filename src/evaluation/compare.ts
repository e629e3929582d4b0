import { DomainError } from '../errors.js';
import { type BootstrapOptions, drawsOf, type Interval, intervalOf, level } from './bootstrap.js';
import { holm, mcnemarExact } from './paired-tests.js';
import { rankedLabels } from './ranked-labels.js';
import type { Report } from './report.js';
import { type Scored, score } from './score.js';
import { type DecidedScores, scoresOf, tallyOf, unitsOf } from './tally.js';

/** One of two versions that answered the same frames in the same order. */
export interface ScoredContender {
  /** "cells@3". */
  readonly ref: string;
  readonly scored: Scored;
}

/** A score of both, and how sure the difference is. */
export interface Difference {
  readonly first: number;
  readonly second: number;
  /** Second less first, and the interval of that over the same draws for both. */
  readonly gain: number;
  readonly interval: Interval;
  /** Of no difference: twice the part of the draws on the other side of 0; 2 / draws at least. */
  readonly pValue: number;
}

/** One label of two versions. */
export interface LabelDifference {
  readonly label: string;
  readonly support: number;
  /** null where no frame has the label. */
  readonly firstF1: number | null;
  readonly secondF1: number | null;
  /** Frames that were given the label and have it not. */
  readonly firstWronglyGiven: number;
  readonly secondWronglyGiven: number;
  /** Frames whose label only this one has right, given or not. */
  readonly onlyFirstRight: number;
  readonly onlySecondRight: number;
  /** McNemar's exact test over these two, frame by frame. */
  readonly pValue: number;
  /** The same after Holm's correction for all labels that some frame tells apart. */
  readonly adjustedPValue: number;
}

/** Two versions on the same frames. */
export interface Comparison {
  readonly firstRef: string;
  readonly secondRef: string;
  readonly frameCount: number;
  readonly level: number;
  readonly resampleCount: number;
  readonly unit: 'frame' | 'group';
  readonly unitCount: number;
  readonly macroF1Present: Difference;
  /** Each over the labels that a frame has or that it gives itself. */
  readonly macroF1TrueOrGiven: Difference;
  readonly macroF1: Difference;
  readonly microF1: Difference;
  readonly exactMatch: Difference;
  /** Without thresholds, here and in the next; null where the set does not define it. */
  readonly macroAveragePrecisionPresent: Difference | null;
  readonly macroAurocPresent: Difference | null;
  readonly labels: readonly LabelDifference[];
  readonly first: Report;
  readonly second: Report;
}

/**
 * Compares two versions that answered the same frames, paired: each draw of weights for the
 * frames, or the groups where there are any, is scored for both, so that a hard draw is hard
 * for both.
 * Each at its own thresholds. McNemar's test counts frames as if each stood alone.
 *
 * Source: Dror et al., "The hitchhiker's guide to testing statistical significance in NLP",
 * ACL 2018, section 3; Berg-Kirkpatrick et al., EMNLP 2012, for the paired bootstrap.
 *
 * Blocks its thread for some seconds.
 *
 * Throws `option_invalid` where the frames are not as many.
 */
export function compareScored(
  [a, b]: readonly [ScoredContender, ScoredContender],
  groups: readonly (string | null)[],
  { resampleCount = 1000, seed = 1, onProgress }: BootstrapOptions = {},
): Comparison {
  const [ofA, ofB] = [a.scored, b.scored];
  if (ofA.targets.length !== ofB.targets.length) {
    throw new DomainError('option_invalid', `expected the same frames for ${a.ref} and ${b.ref}`);
  }
  const units = unitsOf(groups);
  const tallies = [tallyOf(ofA, units), tallyOf(ofB, units)] as const;
  const { unitCount } = tallies[0];
  const draw = drawsOf(unitCount, seed);
  const draws: (readonly [PairScores, PairScores])[] = [];
  const rankings = [rankedLabels(ofA, units), rankedLabels(ofB, units)] as const;
  const scoreDraw = (at: 0 | 1, drawn: ArrayLike<number>): PairScores => {
    const { macroAveragePrecisionPresent, macroAurocPresent } = rankings[at](drawn);
    return { ...scoresOf(tallies[at], drawn), macroAveragePrecisionPresent, macroAurocPresent };
  };
  for (let resample = 0; resample < resampleCount; resample += 1) {
    const drawn = draw(resample);
    draws.push([scoreDraw(0, drawn), scoreDraw(1, drawn)]);
    onProgress?.(resample + 1, resampleCount);
  }
  const [first, second] = [score(ofA), score(ofB)];
  const differenceOf = (key: keyof PairScores) => {
    const gains = draws.map(([one, other]) => other[key] - one[key]);
    return toDifference(first[key], second[key], gains);
  };
  const definedDifferenceOf = (key: keyof PairScores) =>
    Number.isNaN(first[key]) || Number.isNaN(second[key]) ? null : differenceOf(key);

  const told = countRight(ofA, ofB);
  const pValues = told.map(([one, other]) => mcnemarExact(one, other));
  const adjusted = holmOfTold(pValues, told);
  return {
    ...{ firstRef: a.ref, secondRef: b.ref, frameCount: first.frameCount },
    ...{ level, resampleCount, unitCount },
    unit: groups.some((group) => group !== null) ? 'group' : 'frame',
    macroF1Present: differenceOf('macroF1Present'),
    macroF1TrueOrGiven: differenceOf('macroF1TrueOrGiven'),
    macroF1: differenceOf('macroF1'),
    microF1: differenceOf('microF1'),
    exactMatch: differenceOf('exactMatch'),
    macroAveragePrecisionPresent: definedDifferenceOf('macroAveragePrecisionPresent'),
    macroAurocPresent: definedDifferenceOf('macroAurocPresent'),
    labels: first.labels.map(({ label, support, f1, wronglyGiven }, index) => ({
      ...{ label, support, firstF1: f1, secondF1: second.labels[index]?.f1 ?? null },
      firstWronglyGiven: wronglyGiven,
      secondWronglyGiven: second.labels[index]?.wronglyGiven ?? 0,
      onlyFirstRight: told[index]?.[0] ?? 0,
      onlySecondRight: told[index]?.[1] ?? 0,
      pValue: pValues[index] ?? 1,
      adjustedPValue: adjusted[index] ?? 1,
    })),
    ...{ first, second },
  };
}

/** What is told of one draw of weights. */
type PairScores = Pick<
  DecidedScores,
  'macroF1Present' | 'macroF1TrueOrGiven' | 'macroF1' | 'microF1' | 'exactMatch'
> &
  Pick<Report, 'macroAveragePrecisionPresent' | 'macroAurocPresent'>;

/**
 * Holm's correction over the labels that some frame tells apart. The others have p = 1
 * whatever is true, so that they add nothing to the chance of a false alarm.
 *
 * Source: Tarone, Biometrics 46 (1990).
 */
function holmOfTold(
  pValues: readonly number[],
  told: readonly (readonly [number, number])[],
): readonly number[] {
  const places = [...told.entries()].flatMap(([at, [one, other]]) => (one + other > 0 ? [at] : []));
  const corrected = holm(places.map((at) => pValues[at] ?? 1));
  const adjusted = pValues.map(() => 1);
  for (const [rank, at] of places.entries()) adjusted[at] = corrected[rank] ?? 1;
  return adjusted;
}

function toDifference(first: number, second: number, gains: readonly number[]): Difference {
  const notAbove = gains.filter((gain) => gain <= 0).length;
  const notBelow = gains.filter((gain) => gain >= 0).length;
  // One is added to each: the set itself is a draw too, and no p-value is 0.
  const pValue = Math.min(1, (2 * (1 + Math.min(notAbove, notBelow))) / (1 + gains.length));
  return { first, second, gain: second - first, interval: intervalOf(gains), pValue };
}

/** Of each label, the frames that only the first and only the second has right. */
function countRight(a: Scored, b: Scored): readonly (readonly [number, number])[] {
  const labelCount = a.labels.length;
  const counts = a.labels.map(() => [0, 0] as [number, number]);
  const isRight = ({ probabilities, targets, thresholds }: Scored, at: number) =>
    (probabilities[at] ?? 0) >= (thresholds[at % labelCount] ?? 1) === (targets[at] === 1);
  for (let at = 0; at < a.targets.length; at += 1) {
    const [first, second] = [isRight(a, at), isRight(b, at)];
    const count = counts[at % labelCount];
    if (first === second || count === undefined) continue;
    count[first ? 0 : 1] += 1;
  }
  return counts;
}
