import { formatTable, left, right, type TableOptions } from '../table.js';
import type { Interval } from './bootstrap.js';
import type { Comparison, Difference, LabelDifference } from './compare.js';
import { decimals } from './format-report.js';
import { seenSentence } from './seen.js';

/** The differences of the whole, in the order in which they should be read; those that the set defines. */
export function differences(
  comparison: Comparison,
): readonly (readonly [name: string, difference: Difference])[] {
  const { macroAveragePrecisionPresent, macroAurocPresent } = comparison;
  const found: readonly (readonly [name: string, difference: Difference | null])[] = [
    ['macro F1, labels present', comparison.macroF1Present],
    ['macro F1, labels true or given', comparison.macroF1TrueOrGiven],
    ['macro F1, all labels', comparison.macroF1],
    ['micro F1', comparison.microF1],
    ['exact match', comparison.exactMatch],
    ['macro average precision, labels present', macroAveragePrecisionPresent],
    ['macro AUROC, labels present', macroAurocPresent],
  ];
  return found.flatMap(([name, difference]) => (difference ? [[name, difference]] : []));
}

/** What was drawn, for a reader. */
export function comparisonNote(comparison: Comparison): string {
  const { frameCount, resampleCount, unit, unitCount } = comparison;
  return `${frameCount} frames; ${100 * comparison.level} % intervals and p over ${resampleCount} draws of weights for ${unitCount} ${unit}s, same for both`;
}

/** Whether the frames are new to the versions, a sentence for each; none where nothing is known to say. */
export function seenByBoth(comparison: Comparison): readonly string[] {
  const { frameCount, firstRef, secondRef, first, second } = comparison;
  return [
    { ref: firstRef, seen: first.seen },
    { ref: secondRef, seen: second.seen },
  ].flatMap(({ ref, seen }) => (seen ? [seenSentence(seen, { frameCount, ref })] : []));
}

/** What the p of a label is, for a reader. */
export const labelTestNote =
  "McNemar's exact test over the frames that just one version has right, and the same after Holm's correction for all labels that some frame tells apart. It takes frames as if each stood alone: of one field of view they do not.";

/** Whether there is anything to tell of a label: that a frame has it, or was given it. */
export function isMet(label: LabelDifference): boolean {
  return label.support > 0 || label.firstWronglyGiven > 0 || label.secondWronglyGiven > 0;
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

/** A Comparison for a terminal: the whole, then a line a label that is present or was given. */
export function formatComparison(comparison: Comparison, options: TableOptions = {}): string {
  const { firstRef, secondRef } = comparison;
  const whole = formatTable(
    [left(''), right(firstRef), right(secondRef), right('gain'), right('interval'), right('p')],
    differences(comparison).map(([name, { first, second, gain, interval, pValue }]) => [
      ...[name, decimals(first, 4), decimals(second, 4), signed(gain, 4)],
      ...[signedInterval(interval, 4), formatP(pValue)],
    ]),
  );
  const labels = formatTable(
    [
      ...[right(''), left('F1 of each label'), right('frames'), right(firstRef), right(secondRef)],
      ...[right(`wrong by ${firstRef}`, 4), right(`wrong by ${secondRef}`, 5)],
      ...[right(`only ${firstRef} right`, 1), right(`only ${secondRef} right`, 2)],
      ...[right('p', 3), right('p, Holm')],
    ],
    comparison.labels.flatMap((label, index) =>
      isMet(label)
        ? [
            [
              ...[index, label.label, label.support],
              ...[decimals(label.firstF1, 3), decimals(label.secondF1, 3)],
              ...[label.firstWronglyGiven, label.secondWronglyGiven],
              ...[label.onlyFirstRight, label.onlySecondRight],
              ...[formatP(label.pValue), formatP(label.adjustedPValue)],
            ],
          ]
        : [],
    ),
    options,
  );
  const said = seenByBoth(comparison).map((sentence) => `${sentence}\n`);
  return `${said.join('')}${comparisonNote(comparison)}\n\n${whole}\n\n${labels}\np: ${labelTestNote}\n`;
}
