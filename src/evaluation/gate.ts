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

const measures: Readonly<
  Record<GateMetric, { readonly name: string; readonly of: (report: Report) => number }>
> = {
  macro_f1_present: {
    name: 'macro F1 of the present labels',
    of: (report) => report.macroF1Present,
  },
  macro_f1: { name: 'macro F1 of all labels', of: (report) => report.macroF1 },
  micro_f1: { name: 'micro F1', of: (report) => report.microF1 },
  exact_match: { name: 'exact match', of: (report) => report.exactMatch },
  macro_average_precision_present: {
    name: 'macro average precision of the present labels',
    of: (report) => report.macroAveragePrecisionPresent,
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
 */
export function refusalOf(
  { candidate, live }: { readonly candidate: Judged; readonly live: Judged },
  {
    metric,
    margin,
    set,
  }: { readonly metric: GateMetric; readonly margin: number; readonly set: string },
): string | null {
  const { name, of } = measures[metric];
  const reached = of(candidate.report);
  const before = of(live.report);
  // 0.43 - 0.42 falls short of 0.01 in its last bits.
  if (reached - before >= margin - 1e-12) return null;
  return (
    `${candidate.ref} stays a candidate: ${name} ${reached.toFixed(4)} on "${set}" ` +
    `(${candidate.report.frameCount} frames), ${live.ref} which is live has ${before.toFixed(4)}, ` +
    `expected a gain of at least ${margin}, got ${(reached - before).toFixed(4)}`
  );
}
