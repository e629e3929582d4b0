import { formatTable, left, right } from '../table.js';
import { decimals } from './format-report.js';
import type { Report } from './report.js';

/** What a number comes to over several trainings. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation with n - 1; 0 of a single value. */
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
}

export interface LabelSpread {
  readonly label: string;
  /** Frames of all folds that have it. */
  readonly support: number;
  /** F1 over the folds in which a frame has it; null where none has. */
  readonly f1: Spread | null;
}

/** Scores of as many trainings, each on the frames that it was kept from. */
export interface CrossValidation {
  readonly folds: readonly Report[];
  readonly macroF1Present: Spread;
  readonly macroF1: Spread;
  readonly microF1: Spread;
  readonly exactMatch: Spread;
  readonly macroAveragePrecisionPresent: Spread;
  readonly meanBinaryCrossEntropy: Spread;
  readonly expectedCalibrationErrorPresent: Spread;
  readonly expectedCalibrationError: Spread;
  readonly binaryAccuracy: Spread;
  readonly alwaysNoAccuracy: Spread;
  readonly labels: readonly LabelSpread[];
}

/** Mean and spread over folds of the same labels, one or more. */
export function summariseFolds(folds: readonly Report[]): CrossValidation {
  const of = (measure: (report: Report) => number) => spreadOf(folds.map(measure));
  const labels = folds[0]?.labels ?? [];
  return {
    folds,
    macroF1Present: of((report) => report.macroF1Present),
    macroF1: of((report) => report.macroF1),
    microF1: of((report) => report.microF1),
    exactMatch: of((report) => report.exactMatch),
    macroAveragePrecisionPresent: of((report) => report.macroAveragePrecisionPresent),
    meanBinaryCrossEntropy: of((report) => report.meanBinaryCrossEntropy),
    expectedCalibrationErrorPresent: of((report) => report.expectedCalibrationErrorPresent),
    expectedCalibrationError: of((report) => report.expectedCalibrationError),
    binaryAccuracy: of((report) => report.binaryAccuracy),
    alwaysNoAccuracy: of((report) => report.alwaysNoAccuracy),
    labels: labels.map(({ label }, index) => {
      const own = folds.flatMap((report) => report.labels[index] ?? []);
      const f1s = own.flatMap(({ f1 }) => (f1 === null ? [] : [f1]));
      return {
        label,
        support: own.reduce((sum, { support }) => sum + support, 0),
        f1: f1s.length === 0 ? null : spreadOf(f1s),
      };
    }),
  };
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0,
    least: Math.min(...values),
    most: Math.max(...values),
  };
}

/** The spreads of the whole, in the order in which they should be read. */
export function spreads(of: CrossValidation): readonly (readonly [name: string, of: Spread])[] {
  return [
    ['macro F1, labels present', of.macroF1Present],
    ['macro F1, all labels', of.macroF1],
    ['micro F1', of.microF1],
    ['exact match', of.exactMatch],
    ['macro average precision, labels present', of.macroAveragePrecisionPresent],
    ['mean binary cross-entropy', of.meanBinaryCrossEntropy],
    ['expected calibration error, labels present', of.expectedCalibrationErrorPresent],
    ['expected calibration error, all labels', of.expectedCalibrationError],
    ['binary accuracy', of.binaryAccuracy],
    ['  the same, always answering "no"', of.alwaysNoAccuracy],
  ];
}

/** A CrossValidation for a terminal: the whole, then a line a label that is present. */
export function formatCrossValidation(of: CrossValidation): string {
  const spread = ['mean', '± deviation', 'least', 'most'].map((heading) => right(heading));
  const cells = ({ mean, deviation, least, most }: Spread) =>
    [mean, deviation, least, most].map((value) => decimals(value, 4));
  const whole = formatTable(
    [left(`${of.folds.length} folds`), ...spread],
    spreads(of).map(([name, each]) => [name, ...cells(each)]),
  );
  const labels = formatTable(
    [right(''), left('F1 of each label'), right('frames'), ...spread],
    of.labels.flatMap(({ label, support, f1 }, index) =>
      f1 === null ? [] : [[index, label, support, ...cells(f1)]],
    ),
  );
  return `${whole}\n\n${labels}\n`;
}
