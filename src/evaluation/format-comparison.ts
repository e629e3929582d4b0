import type { Comparison, Difference } from './compare.js';
import { decimals, formatInterval, plainTable, trimmed } from './format-report.js';

/** The differences of the whole, in the order in which they should be read. */
export function differences(
  comparison: Comparison,
): readonly (readonly [name: string, difference: Difference])[] {
  return [
    ['macro F1, labels present', comparison.macroF1Present],
    ['macro F1, all labels', comparison.macroF1],
    ['micro F1', comparison.microF1],
    ['exact match', comparison.exactMatch],
  ];
}

/** What was drawn, for a reader. */
export function comparisonNote(comparison: Comparison): string {
  const { frameCount, resampleCount, unit, unitCount } = comparison;
  return `${frameCount} frames; ${100 * comparison.level} % intervals and p over ${resampleCount} draws of ${unitCount} ${unit}s, the same for both`;
}

/** A gain with its sign. */
export function signed(value: number, digits: number): string {
  return `${value > 0 ? '+' : ''}${decimals(value, digits)}`;
}

/** A Comparison for a terminal: the whole, then a line a label that is present. */
export function formatComparison(comparison: Comparison): string {
  const { firstRef, secondRef } = comparison;
  const right = (count: number) => Array.from({ length: count }, () => 'right' as const);
  const whole = plainTable(
    ['left', ...right(5)],
    ['', firstRef, secondRef, 'gain', 'interval', 'p'],
  );
  for (const [name, { first, second, gain, interval, pValue }] of differences(comparison)) {
    whole.push([
      ...[name, decimals(first, 4), decimals(second, 4), signed(gain, 4)],
      ...[formatInterval(interval, 4), decimals(pValue, 4)],
    ]);
  }
  const labels = plainTable(
    ['right', 'left', ...right(7)],
    [
      ...['', 'F1 of each label', 'frames', firstRef, secondRef],
      ...['only it right', 'only it right', 'p', 'p, Holm'],
    ],
  );
  for (const [index, label] of comparison.labels.entries()) {
    if (label.support === 0) continue;
    labels.push([
      ...[String(index), label.label, String(label.support)],
      ...[decimals(label.firstF1, 3), decimals(label.secondF1, 3)],
      ...[String(label.onlyFirstRight), String(label.onlySecondRight)],
      ...[decimals(label.pValue, 4), decimals(label.adjustedPValue, 4)],
    ]);
  }
  return `${comparisonNote(comparison)}\n\n${trimmed(whole.toString())}\n\n${trimmed(labels.toString())}\n`;
}
