import type { Report } from './report.js';

/** What a gate may look at: the higher, the better. */
export const gateMetrics = [
  'macro_f1_present',
  'macro_f1',
  'micro_f1',
  'exact_match',
  'macro_average_precision_present',
] as const;

export type GateMetric = (typeof gateMetrics)[number];

interface Measure {
  readonly name: string;
  readonly of: (report: Report) => number;
  /** Whether it is the same however often labels that no frame has are given. */
  readonly isBlind: boolean;
}

const microF1: Measure = { name: 'micro F1', of: (report) => report.microF1, isBlind: false };

const measures: Readonly<Record<GateMetric, Measure>> = {
  macro_f1_present: {
    name: 'macro F1 of the present labels',
    of: (report) => report.macroF1Present,
    isBlind: true,
  },
  macro_f1: {
    name: 'macro F1 of all labels',
    of: (report) => report.macroF1,
    isBlind: true,
  },
  micro_f1: microF1,
  exact_match: {
    name: 'exact match',
    of: (report) => report.exactMatch,
    isBlind: false,
  },
  macro_average_precision_present: {
    name: 'macro average precision of the present labels',
    of: (report) => report.macroAveragePrecisionPresent,
    isBlind: true,
  },
};

/** A version with what it scored. */
export interface Judged {
  /** "cells@3". */
  readonly ref: string;
  readonly report: Report;
}

/**
 * Why a candidate does not beat the live version by a margin, or null where it does. The
 * sentence has both numbers and the margin. A metric that is not defined beats nothing.
 *
 * What a metric gains must not be bought with labels that no frame of the set has: means over
 * the present labels, or with 0 for every other, do not see those. Beside such a metric micro
 * F1, which counts every label that is given wrongly, may fall by the margin at most.
 */
export function refusalOf(
  { candidate, live }: { readonly candidate: Judged; readonly live: Judged },
  {
    metric,
    margin,
    set,
  }: { readonly metric: GateMetric; readonly margin: number; readonly set: string },
): string | null {
  const { frameCount, seen } = candidate.report;
  const ofAll = seen?.datasetFrameCount ?? frameCount;
  const frames =
    ofAll === frameCount
      ? `${frameCount} frames`
      : `${frameCount} of ${ofAll} frames, those that neither has seen`;
  const judge = ({ name, of }: Measure, least: number, expected: string): string | null => {
    const reached = of(candidate.report);
    const before = of(live.report);
    // 0.43 - 0.42 falls short of 0.01 in its last bits.
    if (reached - before >= least - 1e-12) return null;
    return (
      `${candidate.ref} stays a candidate: ${name} ${reached.toFixed(4)} on "${set}" ` +
      `(${frames}), ${live.ref} which is live has ${before.toFixed(4)}, ` +
      `expected ${expected}, got ${(reached - before).toFixed(4)}`
    );
  };
  const measure = measures[metric];
  return (
    judge(measure, margin, `a gain of at least ${margin}`) ??
    (measure.isBlind
      ? judge(microF1, -margin, `a loss of at most ${margin} where only ${measure.name} need gain`)
      : null)
  );
}
