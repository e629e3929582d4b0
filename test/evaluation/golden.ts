import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';

type Table = readonly (readonly number[])[];

interface Predicted {
  readonly probabilities: Table;
  readonly targets: Table;
}

/** What test/golden/evaluation.py wrote. */
export interface Golden {
  readonly thresholds: readonly (Predicted & {
    readonly common: number;
    readonly thresholds: readonly number[];
  })[];
  readonly calibration: readonly (Predicted & {
    readonly temperature: number;
    readonly expectedCalibrationError: number;
  })[];
  readonly intervals: readonly (Predicted & {
    readonly groups: readonly number[] | null;
    /** Weights of the units. */
    readonly draws: Table;
    readonly exact: Readonly<Record<string, readonly [number, number]>>;
    /** Low, high, standard error. */
    readonly reference: Readonly<Record<string, readonly [number, number, number]>>;
  })[];
  readonly comparison: {
    readonly discordant: readonly (readonly [number, number])[];
    readonly pValues: readonly number[];
    readonly adjusted: readonly number[];
  };
  readonly doubts: readonly (Predicted & { readonly doubted: Table })[];
}

// The shape is what the script beside it writes.
export const golden = JSON.parse(
  readFileSync(join(packageRoot, 'test/golden/evaluation.json'), 'utf8'),
) as Golden;

type Ends = readonly [number, number] | null;

/** What test/golden/ranking_intervals.py wrote. */
export interface RankingGolden {
  readonly cases: readonly (Predicted & {
    readonly groups: readonly number[] | null;
    readonly draws: Table;
    readonly labels: Readonly<Record<'auroc' | 'averagePrecision', readonly Ends[]>>;
    readonly macro: Readonly<Record<'auroc' | 'averagePrecision', Ends>>;
    readonly weightedF1: Ends;
  })[];
}

export const rankingGolden = JSON.parse(
  readFileSync(join(packageRoot, 'test/golden/ranking-intervals.json'), 'utf8'),
) as RankingGolden;

/** A case as the room of evaluation takes it. */
export function scored({ probabilities, targets }: Predicted) {
  return {
    probabilities: Float64Array.from(probabilities.flat()),
    targets: Uint8Array.from(targets.flat()),
    labels: (probabilities[0] ?? []).map((_, label) => `label ${label}`),
  };
}
