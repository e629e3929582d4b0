import { formatTable, left, right, type TableOptions } from '../table.js';
import type { Interval, Intervals } from './bootstrap.js';
import type { DriftReport, Report } from './report.js';
import { seenSentence } from './seen.js';

/**
 * A Report for a terminal: whether the frames are new to the version, the scores of the whole,
 * six decimals, then one line a label. Binary accuracy never stands without macro F1 and what always answering
 * "no" reaches. No colours, no control codes.
 */
export function formatReport(report: Report, options: TableOptions = {}): string {
  const { seen, frameCount } = report;
  const first = seen ? `${seenSentence(seen, { frameCount, ref: 'the version' })}\n\n` : '';
  return `${first}${formatScores(report)}\n\n${formatAverages(report)}\n\n${formatLabels(report, options)}\n`;
}

/** What is shown of the whole, in the order in which it should be read. */
export function headlines(report: Report): readonly (readonly [name: string, value: number])[] {
  return [
    ['macro F1, all labels', report.macroF1],
    ['macro F1, labels present', report.macroF1Present],
    ['macro F1, labels true or given', report.macroF1TrueOrGiven],
    ['micro F1', report.microF1],
    ['weighted F1', report.weightedF1],
    ['exact match', report.exactMatch],
    ['macro AUROC, labels present', report.macroAurocPresent],
    ['macro average precision, labels present', report.macroAveragePrecisionPresent],
    ['mean binary cross-entropy', report.meanBinaryCrossEntropy],
    ['expected calibration error, labels present', report.expectedCalibrationErrorPresent],
    ['expected calibration error, all labels', report.expectedCalibrationError],
    ['binary accuracy', report.binaryAccuracy],
    ['  the same, always answering "no"', report.alwaysNoAccuracy],
    ...(report.drift ? [[driftLine(report.drift), report.drift.beyondShare] as const] : []),
  ];
}

/** "5 of 28; 3 others given wrongly": a mean over the present ones does not see those. */
export function labelsMet({ labels }: Report): string {
  const present = labels.filter(({ support }) => support > 0).length;
  const wrong = labels.filter(({ support, wronglyGiven }) => support === 0 && wronglyGiven > 0);
  const others = wrong.length === 0 ? '' : `; ${wrong.length} others given wrongly`;
  return `${present} of ${labels.length}${others}`;
}

/** The interval of a headline: "0.312–0.401", or nothing where there is none. */
export function intervalOfHeadline({ intervals }: Report, name: string): string {
  const key = (intervalKeys as Readonly<Record<string, IntervalKey | undefined>>)[name.trim()];
  const interval = intervals === null || key === undefined ? null : intervals[key];
  return interval === null ? '' : formatInterval(interval, 3);
}

type IntervalKey = (typeof intervalKeys)[keyof typeof intervalKeys];

const intervalKeys = {
  'macro F1, all labels': 'macroF1',
  'macro F1, labels present': 'macroF1Present',
  'macro F1, labels true or given': 'macroF1TrueOrGiven',
  'micro F1': 'microF1',
  'weighted F1': 'weightedF1',
  'exact match': 'exactMatch',
  'macro AUROC, labels present': 'macroAurocPresent',
  'macro average precision, labels present': 'macroAveragePrecisionPresent',
  'binary accuracy': 'binaryAccuracy',
} as const satisfies Readonly<Record<string, keyof Intervals>>;

export function formatInterval({ low, high }: Interval, digits: number): string {
  return `${decimals(low, digits)}–${decimals(high, digits)}`;
}

/** What the intervals are, for a reader. */
export function intervalNote({ intervals }: Report): string {
  if (intervals === null) return '';
  const { level, resampleCount, unit, unitCount } = intervals;
  return `${100 * level} % intervals over ${resampleCount} draws of weights for ${unitCount} ${unit}s`;
}

/** Precision, recall and F1, averaged in each way. */
export function averages(
  report: Report,
): readonly (readonly [name: string, precision: number, recall: number, f1: number])[] {
  return [
    [
      'macro, labels present',
      report.macroPrecisionPresent,
      report.macroRecallPresent,
      report.macroF1Present,
    ],
    ['macro, all labels', report.macroPrecision, report.macroRecall, report.macroF1],
    ['micro', report.microPrecision, report.microRecall, report.microF1],
    ['weighted', report.weightedPrecision, report.weightedRecall, report.weightedF1],
  ];
}

const driftLine = ({ threshold }: DriftReport): string =>
  `share of frames unlike the training's, distance over ${threshold.toFixed(2)}`;

function formatScores(report: Report): string {
  const table = formatTable(
    [left(''), right(''), left('')],
    [
      ['frames', report.frameCount, ''],
      ['labels present', labelsMet(report), ''],
      ...headlines(report).map(([name, value]) => [
        ...[name, decimals(value, 6)],
        intervalOfHeadline(report, name),
      ]),
    ],
  );
  const note = intervalNote(report);
  return note === '' ? table : `${table}\n${note}`;
}

function formatAverages(report: Report): string {
  return formatTable(
    [left(''), right('precision'), right('recall'), right('F1')],
    averages(report).map(([name, ...values]) => [
      name,
      ...values.map((value) => decimals(value, 3)),
    ]),
  );
}

function formatLabels({ labels, intervals }: Report, options: TableOptions): string {
  return formatTable(
    [
      ...[right(''), left('label'), right('frames'), right('given wrongly')],
      ...[right('threshold', 4), right('precision'), right('recall'), right('F1')],
      ...[right('interval', 3), right('AUROC', 2), right('avg. precision', 1)],
    ],
    labels.map((label, index) => [
      ...[index, label.label, label.support, label.wronglyGiven, decimals(label.threshold, 3)],
      ...[decimals(label.precision, 3), decimals(label.recall, 3), decimals(label.f1, 3)],
      formatLabelInterval(intervals, index),
      ...[decimals(label.auroc, 3), decimals(label.averagePrecision, 3)],
    ]),
    options,
  );
}

/** The interval of a label's F1, or nothing where there is none. */
export function formatLabelInterval(intervals: Intervals | null, label: number): string {
  const interval = intervals?.labels[label] ?? null;
  return interval === null ? '' : formatInterval(interval, 2);
}

/** The interval of a label's AUROC or average precision, or nothing where there is none. */
export function formatRankingInterval(
  intervals: Intervals | null,
  label: number,
  key: 'auroc' | 'averagePrecision',
): string {
  const interval = intervals?.rankings[label]?.[key] ?? null;
  return interval === null ? '' : formatInterval(interval, 2);
}

/** A number, or a dash where it is not defined. */
export function decimals(value: number | null, digits: number): string {
  return value === null || Number.isNaN(value) ? '–' : value.toFixed(digits);
}
