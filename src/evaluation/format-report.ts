import Table from 'cli-table3';
import type { LabelReport, Report } from './report.js';
import { weightedF1 } from './score.js';

export interface FormatOptions {
  /** Leaves out the lines of labels that no frame has. @default false */
  readonly presentOnly?: boolean;
}

/**
 * A Report for a terminal: the scores of the whole, six decimals, then one line a
 * label. Binary accuracy never stands without macro F1 and what always answering
 * "no" reaches. No colours, no control codes.
 */
export function formatReport(report: Report, { presentOnly = false }: FormatOptions = {}): string {
  return `${formatScores(report)}\n\n${formatLabels(report.labels, presentOnly)}\n`;
}

/** What is shown of the whole, in the order in which it should be read. */
export function headlines(report: Report): readonly (readonly [name: string, value: number])[] {
  return [
    ['macro F1, all labels', report.macroF1],
    ['macro F1, labels present', report.macroF1Present],
    ['micro F1', report.microF1],
    ['weighted F1', weightedF1(report)],
    ['exact match', report.exactMatch],
    ['macro AUROC, labels present', report.macroAurocPresent],
    ['macro average precision, labels present', report.macroAveragePrecisionPresent],
    ['mean binary cross-entropy', report.meanBinaryCrossEntropy],
    ['binary accuracy', report.binaryAccuracy],
    ['  the same, always answering "no"', report.alwaysNoAccuracy],
  ];
}

function formatScores(report: Report): string {
  const table = plainTable(['left', 'right']);
  table.push(['frames', String(report.frameCount)]);
  const present = report.labels.filter(({ support }) => support > 0).length;
  table.push(['labels present', `${present} of ${report.labels.length}`]);
  for (const [name, value] of headlines(report)) table.push([name, decimals(value, 6)]);
  return trimmed(table.toString());
}

function formatLabels(labels: readonly LabelReport[], presentOnly: boolean): string {
  const table = plainTable(
    ['right', 'left', ...Array.from({ length: 7 }, () => 'right' as const)],
    ['', 'label', 'frames', 'threshold', 'precision', 'recall', 'F1', 'AUROC', 'avg. precision'],
  );
  for (const [index, label] of labels.entries()) {
    if (presentOnly && label.support === 0) continue;
    table.push([
      String(index),
      label.label,
      String(label.support),
      decimals(label.threshold, 3),
      decimals(label.precision, 3),
      decimals(label.recall, 3),
      decimals(label.f1, 3),
      decimals(label.auroc, 3),
      decimals(label.averagePrecision, 3),
    ]);
  }
  return trimmed(table.toString());
}

/** A number, or a dash where it is not defined. */
export function decimals(value: number | null, digits: number): string {
  return value === null || Number.isNaN(value) ? '–' : value.toFixed(digits);
}

function plainTable(colAligns: ('left' | 'right')[], head: string[] = []) {
  const sides = ['top', 'bottom', 'left', 'right'];
  const joints = ['', '-mid', '-left', '-right'];
  const none = sides.flatMap((side) => joints.map((joint) => [`${side}${joint}`, '']));
  return new Table({
    head,
    colAligns,
    chars: { ...Object.fromEntries(none), mid: '', 'mid-mid': '', middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
}

function trimmed(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
