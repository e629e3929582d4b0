import type { Interval } from './bootstrap.js';
import type { Comparison, Difference } from './compare.js';
import { decimals, plainTable, trimmed } from './format-report.js';

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

/** Ends of a gain: with signs, and no dash that could be one. */
export function signedInterval({ low, high }: Interval, digits: number): string {
  return `${signed(low, digits)} to ${signed(high, digits)}`;
}

/** A p-value in four decimals; a smaller one is not 0. */
export function formatP(pValue: number): string {
  return pValue < 0.0001 ? '<0.0001' : decimals(pValue, 4);
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
      ...[signedInterval(interval, 4), formatP(pValue)],
    ]);
  }
  const labels = plainTable(
    ['right', 'left', ...right(7)],
    [
      ...['', 'F1 of each label', 'frames', firstRef, secondRef],
      ...[`only ${firstRef} right`, `only ${secondRef} right`, 'p', 'p, Holm'],
    ],
  );
  for (const [index, label] of comparison.labels.entries()) {
    if (label.support === 0) continue;
    labels.push([
      ...[String(index), label.label, String(label.support)],
      ...[decimals(label.firstF1, 3), decimals(label.secondF1, 3)],
      ...[String(label.onlyFirstRight), String(label.onlySecondRight)],
      ...[formatP(label.pValue), formatP(label.adjustedPValue)],
    ]);
  }
  return `${comparisonNote(comparison)}\n\n${trimmed(whole.toString())}\n\n${trimmed(labels.toString())}\n`;
}
